#pragma once

#include "proxy/admin/snapshot.hpp"

#include <string>

namespace veer::proxy::admin {

/// A snapshot in Prometheus' text format (version 0.0.4). Labels are bounded by the routes and by
/// the codes of reasons; nothing that a client chooses is among them.
std::string to_prometheus(const Snapshot& snapshot);

}  // namespace veer::proxy::admin
