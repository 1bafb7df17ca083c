#include "config/diff.hpp"
#include "proxy/report_command.hpp"
#include "proxy/run.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>

// The command line: which command, which configuration. What runs is in run.cpp.

namespace {

using veer::config::Config;

struct Flags {
    std::string config_file;
    std::string upstream;
    std::string listen;
    std::string data_dir;
};

constexpr int usage_error = 2;

int check_config(const Flags& flags) {
    const auto config = veer::proxy::load_config(
        {.config_file = flags.config_file, .upstream = {}, .listen = {}, .data_dir = {}}
    );
    if (!config) {
        std::fprintf(stderr, "veer: %s\n", to_string(config.error()).c_str());
        return 1;
    }
    std::fputs(veer::config::to_text(*config).c_str(), stdout);
    return 0;
}

int run_command(const Flags& flags) {
    return veer::proxy::run(
        {.config_file = flags.config_file,
         .upstream = flags.upstream,
         .listen = flags.listen,
         .data_dir = flags.data_dir}
    );
}

int parse_and_run(int argc, char** argv) {
    CLI::App app(
        "veer answers pgvector searches from its own index and passes everything else to Postgres."
    );
    app.set_version_flag("--version", std::string("veer ") + VEER_VERSION);
    app.require_subcommand(1);
    Flags flags;
    CLI::App* run = app.add_subcommand("run", "Serve clients until SIGTERM");
    run->add_option(
        "-c,--config", flags.config_file, "Configuration (default: ./veer.toml if there is one)"
    );
    run->add_option("--upstream", flags.upstream, "Postgres, as a libpq connection string");
    run->add_option("--listen", flags.listen, "ADDRESS:PORT for clients (default 127.0.0.1:7432)");
    run->add_option("--data-dir", flags.data_dir, "Directory of the copy (default ./veer-data)");
    CLI::App* check =
        app.add_subcommand("check-config", "Read the configuration and print what it means");
    check->add_option(
        "-c,--config", flags.config_file, "Configuration (default: ./veer.toml if there is one)"
    );
    veer::proxy::ReportOptions wanted;
    CLI::App* report = app.add_subcommand(
        "report", "Say what comparisons have come to; exit 0 pass, 1 fail, 2 not enough evidence"
    );
    report
        ->add_option(
            "dsn", wanted.dsn, "A running veer, as \"host=127.0.0.1 port=7432 dbname=app\""
        )
        ->required();
    report->add_flag("--json", wanted.json, "JSON instead of text");
    report->add_option("--html", wanted.html_file, "Besides, one self-contained page in this file");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : usage_error;
    }
    if (report->parsed()) {
        return veer::proxy::report(wanted);
    }
    return check->parsed() ? check_config(flags) : run_command(flags);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return parse_and_run(argc, argv);
    } catch (const std::exception& error) {
        // Nothing below throws on purpose: memory or threads have run out.
        std::fprintf(stderr, "veer: %s\n", error.what());
        return 1;
    }
}
