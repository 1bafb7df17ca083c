#include "config/diff.hpp"
#include "proxy/cli/command_line.hpp"
#include "proxy/cli/text_output.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

// veer config check, diff, show: the file as it is read, against what runs, and what runs.

namespace veer::proxy::cli {

namespace {

int check_config(const Flags& flags) {
    const auto config = load_config(
        {.config_file = flags.options.config_file, .upstream = {}, .listen = {}, .data_dir = {}}
    );
    if (!config) {
        std::fprintf(stderr, "veer: %s\n", to_string(config.error()).c_str());
        return failed;
    }
    std::fputs(config::to_text(*config).c_str(), stdout);
    return succeeded;
}

void add_check(CLI::App& app, Flags& flags, Chosen& chosen, const char* name) {
    CLI::App* const check =
        app.add_subcommand(name, "Read the configuration and print what it means");
    check->add_option(
        "-c,--config",
        flags.options.config_file,
        "Configuration (default: ./veer.toml if there is one)"
    );
    check->callback([&flags, &chosen] {
        chosen = [&flags] {
            return check_config(flags);
        };
    });
}

}  // namespace

void add_config_command(CLI::App& app, Flags& flags, Chosen& chosen) {
    add_check(app, flags, chosen, "check-config");
    CLI::App* const command =
        app.add_subcommand("config", "The configuration: the file's, and the running veer's");
    command->require_subcommand(1);
    add_check(*command, flags, chosen, "check");
    add_statement(*command, flags, chosen, "diff", "What a reload would change", [] {
        return "RELOAD DRY RUN";
    });
    add_statement(*command, flags, chosen, "show", "What the running veer goes by", [] {
        return "SHOW CONFIG";
    });
}

}  // namespace veer::proxy::cli
