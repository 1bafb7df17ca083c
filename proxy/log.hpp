#pragma once

#include "config/config.hpp"

#include <string>
#include <string_view>

namespace veer::proxy {

/// The process' log: one line on stderr for each message, whatever somebody has put into a name, a
/// reason or a statement.
void set_up_log(const config::Log& log);

/// The text with what would end a line, or move a terminal's cursor, written as \n, \t or \x1b.
std::string one_line(std::string_view text);

}  // namespace veer::proxy
