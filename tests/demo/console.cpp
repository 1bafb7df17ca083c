#include "tests/demo/console.hpp"

#include <chrono>
#include <cstdlib>
#include <thread>

namespace veer::demo {
namespace {

double number(std::string_view text) {
    return std::strtod(std::string(text).c_str(), nullptr);
}

std::int64_t count(std::string_view text) {
    return std::strtoll(std::string(text).c_str(), nullptr, 10);
}

bool is_column(std::string_view column) {
    return column == "embedding" || column.ends_with(".embedding");
}

std::string described(const RouteStatus& status) {
    return "route " + status.route + " is " + status.state + " (" +
           std::to_string(static_cast<int>(status.progress)) + " %) with " +
           std::to_string(status.rows) + " rows, and veer is to answer " +
           std::to_string(static_cast<int>(status.percent)) + " % of its searches. " +
           status.reason;
}

}  // namespace

std::optional<RouteStatus> route_status(Connection& connection, const std::string& table) {
    const Rows rows = connection.execute("SHOW veer.routes");
    for (int row = 0; row < rows.count(); row++) {
        const std::string_view found = rows.text(row, "table");
        if ((found == table || found == "public." + table) && is_column(rows.text(row, "column"))) {
            return RouteStatus{
                .route = std::string(rows.text(row, "route")),
                .state = std::string(rows.text(row, "state")),
                .reason = std::string(rows.text(row, "reason")),
                .progress = number(rows.text(row, "progress")),
                .percent = number(rows.text(row, "percent")),
                .rows = count(rows.text(row, "rows")),
                .veer = count(rows.text(row, "veer")),
                .postgres = count(rows.text(row, "postgres")),
                .memory = count(rows.text(row, "memory")),
                .cached = count(rows.text(row, "cached")),
            };
        }
    }
    return std::nullopt;
}

LastSearch last_search(Connection& connection) {
    const Rows rows = connection.execute("SHOW veer.last");
    if (rows.count() == 0) {
        return {.engine = "nobody", .reason = "no search yet"};
    }
    return {
        .engine = std::string(rows.text(0, "engine")),
        .reason = std::string(rows.text(0, "reason")),
    };
}

RouteStatus await_route(
    Connection& connection,
    const std::string& table,
    double seconds,
    const std::function<bool(const RouteStatus&)>& accept
) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    std::optional<RouteStatus> status;
    while (std::chrono::steady_clock::now() < deadline) {
        status = route_status(connection, table);
        if (status && accept(*status)) {
            return *status;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw DatabaseError(
        "waited in vain: " + (status ? described(*status) : "no route for " + table)
    );
}

}  // namespace veer::demo
