#include "proxy/cli/command_line.hpp"
#include "proxy/cli/text_output.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>

// The command line: which command. What each does is in its group's file.

namespace {

using namespace veer::proxy::cli;

int parse_and_run(int argc, char** argv) {
    CLI::App app(
        "veer answers pgvector searches from its own index and passes everything else to Postgres."
    );
    app.set_version_flag("--version", std::string("veer ") + VEER_VERSION);
    app.require_subcommand(1);
    Flags flags;
    Chosen chosen;
    add_run_commands(app, flags, chosen);
    add_live_commands(app, flags, chosen);
    add_doctor_command(app, flags, chosen);
    add_audit_command(app, flags, chosen);
    add_eject_command(app, flags, chosen);
    add_top_command(app, flags, chosen);
    add_init_command(app, flags, chosen);
    add_config_command(app, flags, chosen);
    add_completion_command(app, flags, chosen);
    app.footer("Exit codes: 0 done, 1 no or failed, 2 not understood, 3 nobody could be reached.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? succeeded : misused;
    }
    return chosen();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return parse_and_run(argc, argv);
    } catch (const std::exception& error) {
        // Nothing below throws on purpose: memory or threads have run out.
        std::fprintf(stderr, "veer: %s\n", error.what());
        return failed;
    }
}
