#pragma once

#include "tests/demo/corpus.hpp"
#include "tests/demo/load.hpp"
#include "tests/demo/terminal.hpp"

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace veer::demo {

/// What every act of the demo works on.
struct Scene {
    std::string direct;  // DSN of PostgreSQL itself
    std::string veer;    // the same database through veer
    pid_t veer_pid = 0;
    std::string veer_config;  // the veer.toml that veer reads at SIGHUP
    Table table{.name = "documents", .rows = 50'000, .dimensions = 384};
    Corpus corpus{table.dimensions};
};

inline constexpr std::string_view always_veer = "SET veer.route = 'veer'";

/// Shows the rows of one search and measures many, directly and through veer.
void compare_engines(const Scene& scene, Terminal& terminal, Checks& checks);

/// Writes a row through veer, finds it there, deletes it, and finds it no more.
void show_visibility(const Scene& scene, Terminal& terminal, Checks& checks);

/// Moves traffic from PostgreSQL to veer and back by configuration, and counts who answers.
void show_cutover(const Scene& scene, Terminal& terminal, Checks& checks);

}  // namespace veer::demo
