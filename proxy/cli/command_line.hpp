#pragma once

#include "proxy/report_command.hpp"
#include "proxy/run.hpp"

#include <functional>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own
class App;
}

namespace veer::proxy::cli {

/// The command that was chosen; its result is the process' exit code.
using Chosen = std::function<int()>;

/// What every command takes. The flags live as long as the command line is parsed and carried out.
struct Flags {
    RunOptions options;
    bool json = false;
    ReportOptions report = {};
};

/// Each adds one group of commands to the application; the one that is named sets `chosen`.
void add_run_commands(CLI::App& app, Flags& flags, Chosen& chosen);
void add_live_commands(CLI::App& app, Flags& flags, Chosen& chosen);
void add_doctor_command(CLI::App& app, Flags& flags, Chosen& chosen);
void add_audit_command(CLI::App& app, Flags& flags, Chosen& chosen);
void add_eject_command(CLI::App& app, Flags& flags, Chosen& chosen);
void add_status_command(CLI::App& app, Flags& flags, Chosen& chosen);
void add_top_command(CLI::App& app, Flags& flags, Chosen& chosen);
void add_init_command(CLI::App& app, Flags& flags, Chosen& chosen);
void add_config_command(CLI::App& app, Flags& flags, Chosen& chosen);
void add_completion_command(CLI::App& app, Flags& flags, Chosen& chosen);

/// A command that is one statement of the console, and prints its rows.
CLI::App* add_statement(
    CLI::App& app,
    Flags& flags,
    Chosen& chosen,
    const char* name,
    const char* about,
    std::function<std::string()> statement
);

/// -c and --data-dir, which say where a running veer is.
void add_place_options(CLI::App& command, Flags& flags);
void add_json_option(CLI::App& command, Flags& flags);

/// Says on the standard streams why the configuration cannot be read; else its data directory.
bool find_directory(const Flags& flags, std::string& directory);

}  // namespace veer::proxy::cli
