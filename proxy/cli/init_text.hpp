#pragma once

#include "proxy/doctor.hpp"

#include <string>

namespace veer::proxy::cli {

/// A veer.toml for the server that `facts` are of: what veer would serve as [[route]]s with a share
/// of 0 %, what it would not as comments that say why. Decides from facts alone.
std::string initial_config(const DoctorFacts& facts, const std::string& dsn);

}  // namespace veer::proxy::cli
