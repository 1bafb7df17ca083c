#pragma once

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own
class App;
}

namespace veer::proxy::cli {

/// A script for bash that completes veer's commands and their options; zsh takes it by
/// bashcompinit.
std::string bash_completion(const CLI::App& app);

}  // namespace veer::proxy::cli
