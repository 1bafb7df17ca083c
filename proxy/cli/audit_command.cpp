#include "proxy/cli/command_line.hpp"
#include "proxy/cli/text_output.hpp"
#include "proxy/verify_audit.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

// veer verify-audit

namespace veer::proxy::cli {

namespace {

int complain(const std::string& message, bool json) {
    if (json) {
        std::fputs(
            to_json(Trouble{.unreachable = false, .sqlstate = "", .message = message, .hint = ""})
                .c_str(),
            stdout
        );
    } else {
        std::fprintf(stderr, "veer: %s\n", message.c_str());
    }
    return failed;
}

int check_audit(const Flags& flags, std::string file) {
    if (file.empty()) {
        std::string directory;
        if (!find_directory(flags, directory)) {
            return misused;
        }
        file = directory + "/audit.jsonl";
    }
    const auto verified = verify_audit(file);
    if (verified.has_error()) {
        return complain(verified.error(), flags.json);
    }
    if (!verified->holds) {
        return complain(
            file + ", line " + std::to_string(verified->line) + ": " + verified->problem, flags.json
        );
    }
    if (flags.json) {
        constexpr std::uint32_t integer_oid = 20;
        const Answer answer{
            .columns =
                {{.name = "records", .type_oid = integer_oid},
                 {.name = "verdicts", .type_oid = integer_oid}},
            .rows = {{std::to_string(verified->records), std::to_string(verified->verdicts)}}};
        std::fputs(to_json(answer).c_str(), stdout);
    } else {
        std::printf(
            "%s: %llu decisions, none changed, left out or put in between; %llu verdicts follow "
            "from "
            "their evidence.\n",
            file.c_str(),
            static_cast<unsigned long long>(verified->records),
            static_cast<unsigned long long>(verified->verdicts)
        );
    }
    return succeeded;
}

}  // namespace

void add_audit_command(CLI::App& app, Flags& flags, Chosen& chosen) {
    CLI::App* const command = app.add_subcommand(
        "verify-audit", "Recompute every decision of the audit; exit 1 where one does not hold"
    );
    const auto file = std::make_shared<std::string>();
    add_place_options(*command, flags);
    add_json_option(*command, flags);
    command->add_option("FILE", *file, "audit.jsonl (default: the data directory's)");
    command->callback([&flags, &chosen, file] {
        chosen = [&flags, file] {
            return check_audit(flags, *file);
        };
    });
}

}  // namespace veer::proxy::cli
