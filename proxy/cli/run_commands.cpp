#include "proxy/cli/command_line.hpp"
#include "proxy/cli/text_output.hpp"
#include "proxy/report_command.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

// veer run, veer report

namespace veer::proxy::cli {

namespace {

constexpr const char* config_help = "Configuration (default: ./veer.toml if there is one)";

}  // namespace

void add_place_options(CLI::App& command, Flags& flags) {
    command.add_option("-c,--config", flags.options.config_file, config_help);
    command.add_option(
        "--data-dir", flags.options.data_dir, "The running veer's directory (default ./veer-data)"
    );
}

void add_json_option(CLI::App& command, Flags& flags) {
    command.add_flag("--json", flags.json, "For programs: ok, reason, next_steps, rows");
}

bool find_directory(const Flags& flags, std::string& directory) {
    if (!flags.options.data_dir.empty()) {
        // A file that somebody has just broken must not keep a panic from getting through.
        directory = flags.options.data_dir;
        return true;
    }
    const auto config = load_config(flags.options);
    if (!config) {
        std::fprintf(stderr, "veer: %s\n", to_string(config.error()).c_str());
        return false;
    }
    directory = config->storage.dir;
    return true;
}

void add_report_command(CLI::App& app, Flags& flags, Chosen& chosen) {
    CLI::App* const report = app.add_subcommand(
        "report", "Say what comparisons have come to; exit 0 pass, 1 fail, 2 not enough evidence"
    );
    report
        ->add_option("CONNECTION", flags.report.dsn, "A running veer, as a libpq connection string")
        ->required();
    report->add_flag("--json", flags.report.json, "JSON instead of text");
    report->add_option(
        "--html", flags.report.html_file, "Besides, one self-contained page in this file"
    );
    report->add_option("--since", flags.report.since, "Of the last while only, such as 90m or 24h");
    report->callback([&] {
        chosen = [&flags] {
            return proxy::report(flags.report);
        };
    });
}

void add_run_commands(CLI::App& app, Flags& flags, Chosen& chosen) {
    CLI::App* const run = app.add_subcommand("run", "Serve clients until SIGTERM");
    run->add_option("-c,--config", flags.options.config_file, config_help);
    run->add_option("--upstream", flags.options.upstream, "Postgres, as a libpq connection string");
    run->add_option(
        "--listen", flags.options.listen, "ADDRESS:PORT for clients (default 127.0.0.1:7432)"
    );
    run->add_option(
        "--data-dir", flags.options.data_dir, "Directory of the copy (default ./veer-data)"
    );
    run->callback([&] {
        chosen = [&flags] {
            return proxy::run(flags.options);
        };
    });
    add_report_command(app, flags, chosen);
}

}  // namespace veer::proxy::cli
