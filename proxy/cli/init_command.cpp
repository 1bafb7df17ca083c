#include "proxy/cli/command_line.hpp"
#include "proxy/cli/init_text.hpp"
#include "proxy/cli/text_output.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>

// veer init: a first veer.toml, from a connection string alone.

namespace veer::proxy::cli {

void add_init_command(CLI::App& app, Flags& /*flags*/, Chosen& chosen) {
    const auto dsn = std::make_shared<std::string>();
    CLI::App* const command = app.add_subcommand(
        "init", "Write a first veer.toml for a server to standard output; changes nothing there"
    );
    command->add_option("DSN,--upstream", *dsn, "libpq connection string")->required();
    command->callback([&chosen, dsn] {
        chosen = [dsn] {
            const auto facts = read_facts(*dsn);
            if (!facts.has_value()) {
                std::fprintf(stderr, "veer: %s\n", facts.error().message.c_str());
                return facts.error().code == storage::Errc::connection ? unreachable : failed;
            }
            std::fputs(initial_config(*facts, *dsn).c_str(), stdout);
            return succeeded;
        };
    });
}

}  // namespace veer::proxy::cli
