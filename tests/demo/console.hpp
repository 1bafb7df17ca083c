#pragma once

#include "tests/demo/postgres.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace veer::demo {

/// One row of SHOW veer.routes.
struct RouteStatus {
    std::string route;
    std::string state;
    std::string reason;
    double progress = 0;  // 0 to 100
    double percent = 0;
    std::int64_t rows = 0;
    std::int64_t veer = 0;  // searches answered since start, by whom
    std::int64_t postgres = 0;
    std::int64_t memory = 0;  // bytes
    std::int64_t cached = 0;  // of the page cache, bytes
};

/// The row of SHOW veer.last: who answered this session's last search, and why.
struct LastSearch {
    std::string engine;
    std::string reason;
};

/// The route of the column `embedding` of a table in public, or nothing when veer has not
/// discovered it yet.
std::optional<RouteStatus> route_status(Connection& connection, const std::string& table);

LastSearch last_search(Connection& connection);

/// Asks for the route's status until accept() is true; throws DatabaseError after the deadline.
RouteStatus await_route(
    Connection& connection,
    const std::string& table,
    double seconds,
    const std::function<bool(const RouteStatus&)>& accept
);

}  // namespace veer::demo
