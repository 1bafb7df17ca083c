#include "proxy/cli/command_line.hpp"
#include "proxy/cli/text_output.hpp"
#include "proxy/doctor.hpp"
#include "storage/source/connection_string.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

// veer doctor: what is missing at a server, by a connection string alone.

namespace veer::proxy::cli {

namespace {

struct DoctorFlags {
    std::string dsn;
    bool fix_sql = false;
    bool ascii = false;
};

int doctor(const Flags& flags, const DoctorFlags& doctor_flags) {
    std::string dsn = doctor_flags.dsn;
    if (dsn.empty()) {
        const auto config = load_config(flags.options);
        if (!config) {
            std::fprintf(stderr, "veer: %s\n", to_string(config.error()).c_str());
            return misused;
        }
        dsn = config->upstream.dsn;
    }
    auto facts = read_facts(dsn);
    if (!facts.has_value()) {
        const Trouble trouble{
            .unreachable = facts.error().code == storage::Errc::connection,
            .sqlstate = "",
            .message = facts.error().message,
            .hint = ""};
        if (flags.json) {
            std::fputs(to_json(trouble).c_str(), stdout);
        } else {
            std::fprintf(stderr, "veer: %s\n", trouble.message.c_str());
        }
        return trouble.unreachable ? unreachable : failed;
    }
    const std::vector<Finding> findings = examine(*facts);
    const std::string text =
        doctor_flags.fix_sql
            ? to_sql(findings)
            : (flags.json ? to_json(findings) : to_text(findings, !doctor_flags.ascii));
    std::fputs(text.c_str(), stdout);
    return has_problem(findings) ? failed : succeeded;
}

}  // namespace

void add_doctor_command(CLI::App& app, Flags& flags, Chosen& chosen) {
    const auto words = std::make_shared<DoctorFlags>();
    CLI::App* const command =
        app.add_subcommand("doctor", "What a server lacks for veer; changes nothing there");
    command->add_option(
        "DSN,--upstream", words->dsn, "libpq connection string (default: veer.toml's)"
    );
    command->add_option("-c,--config", flags.options.config_file, "Configuration");
    command->add_flag("--fix-sql", words->fix_sql, "Only the statements that mend the problems");
    command->add_flag("--ascii", words->ascii, "No other letters");
    add_json_option(*command, flags);
    command->callback([&flags, &chosen, words] {
        chosen = [&flags, words] {
            return doctor(flags, *words);
        };
    });
}

}  // namespace veer::proxy::cli
