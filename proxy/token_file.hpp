#pragma once

#include <optional>
#include <string>

namespace veer::proxy {

/// Draws a token and writes it to a file that only this process' user can read. Nothing where
/// either failed: then nobody has one.
std::optional<std::string> make_token_file(const std::string& path);

}  // namespace veer::proxy
