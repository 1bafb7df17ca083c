#include "proxy/cli/command_line.hpp"
#include "proxy/cli/status_text.hpp"
#include "proxy/cli/text_output.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

// veer status: once, or again every second.

namespace veer::proxy::cli {

bool terminal_is_utf8() {
    for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* const value = std::getenv(name);
        if (value != nullptr && *value != '\0') {
            const std::string_view text(value);
            return text.find("UTF-8") != std::string_view::npos ||
                   text.find("utf8") != std::string_view::npos;
        }
    }
    return false;
}

boost::system::result<Look, Trouble> look_around(const std::string& directory) {
    Look look;
    for (const auto& [answer, statement] :
         {std::pair(&look.version, "SHOW VERSION"),
          std::pair(&look.routes, "SHOW ROUTES"),
          std::pair(&look.replication, "SHOW REPLICATION"),
          std::pair(&look.indexes, "SHOW INDEXES"),
          std::pair(&look.copies, "SHOW COPIES")}) {
        auto asked = ask(directory, statement);
        if (asked.has_error()) {
            return asked.error();
        }
        *answer = *std::move(asked);
    }
    return look;
}

namespace {

int status(const Flags& flags, bool watch) {
    std::string directory;
    if (!find_directory(flags, directory)) {
        return misused;
    }
    Look before;
    for (;;) {
        auto look = look_around(directory);
        if (look.has_error()) {
            return print(look.error(), flags.json);
        }
        if (flags.json) {
            std::fputs(to_json(look->routes).c_str(), stdout);
        } else {
            const char* const home = watch && isatty(STDOUT_FILENO) != 0 ? "\x1b[H\x1b[2J" : "";
            std::fputs((home + status_text(*look, before, terminal_is_utf8())).c_str(), stdout);
        }
        std::fflush(stdout);
        if (!watch) {
            return succeeded;
        }
        before = *std::move(look);
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
}

}  // namespace

void add_status_command(CLI::App& app, Flags& flags, Chosen& chosen) {
    const auto watch = std::make_shared<bool>(false);
    CLI::App* const command = app.add_subcommand("status", "What is served, and how much of it");
    add_place_options(*command, flags);
    add_json_option(*command, flags);
    command->add_flag("-w,--watch", *watch, "Again every second");
    command->callback([&flags, &chosen, watch] {
        chosen = [&flags, watch] {
            return status(flags, *watch);
        };
    });
}

}  // namespace veer::proxy::cli
