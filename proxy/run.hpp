#pragma once

#include "config/config.hpp"
#include "config/parse.hpp"

#include <span>
#include <string>

namespace veer::proxy {

/// What the command line said; empty where it said nothing.
struct RunOptions {
    std::string config_file;
    std::string upstream;
    std::string listen;  ///< "ADDRESS:PORT"
    std::string data_dir;
};

/// The configuration: the file named, else ./veer.toml if there is one, else the defaults; flags
/// win.
config::Result<config::Config> load_config(
    const RunOptions& options, std::span<const config::Override> overrides = {}
);

/// Serves until SIGTERM or SIGINT; SIGHUP reloads the configuration, SIGUSR2 sends all searches to
/// Postgres, and so does a file named panic in the data directory (SIGUSR2 sent again, and the file
/// taken away, let them return). Returns the process' exit code.
int run(const RunOptions& options);

}  // namespace veer::proxy
