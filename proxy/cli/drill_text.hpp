#pragma once

#include "proxy/cli/console_client.hpp"

#include <string>

namespace veer::proxy::cli {

/// The answer to DRILL, for people: what was made up, how soon it was noticed, and what searches
/// saw of it. Empty where it is no such answer.
std::string drill_text(const Answer& answer);

/// Exit code of its own: 0 rolled back and confirmed by searches, 2 nobody has searched, 1 else.
int drill_exit(const Answer& answer);

}  // namespace veer::proxy::cli
