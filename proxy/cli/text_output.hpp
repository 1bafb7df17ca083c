#pragma once

#include "proxy/cli/console_client.hpp"

#include <string>
#include <string_view>
#include <vector>

/// How commands speak to people and to programs.
namespace veer::proxy::cli {

/// Documented in README.md; scripts rely on them.
enum ExitCode : int {
    succeeded = 0,
    failed = 1,      ///< no, or a check found a problem
    misused = 2,     ///< the command line was not understood
    unreachable = 3  ///< there was nobody to ask
};

/// A field by its column's name; empty where it is NULL or not there.
std::string field(const Answer& answer, std::size_t row, std::string_view name);

/// Columns under their names, as wide as they need to be.
std::string to_table(const Answer& answer);

/// {"ok":true,"reason":"","next_steps":[],"rows":[{"route":"...","veer":3}]}
std::string to_json(const Answer& answer, const std::vector<std::string>& next_steps = {});

/// {"ok":false,"reason":"...","sqlstate":"...","next_steps":["..."],"rows":[]}
std::string to_json(const Trouble& trouble);

/// Says it, to people or to programs; the exit code that it is.
int print(const Trouble& trouble, bool json);

/// SQL's quotes: what is inside cannot be anything but text.
std::string sql_literal(std::string_view text);

/// "3d 2h", "12 min", "40 s"
std::string duration_text(long long seconds);

}  // namespace veer::proxy::cli
