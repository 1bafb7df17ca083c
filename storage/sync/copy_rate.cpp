#include "storage/sync/copy_rate.hpp"

#include <algorithm>
#include <cmath>

namespace veer::storage::sync {

namespace {

/// The first moments say little: caches are cold, connections are made.
constexpr double seconds_min = 0.1;

std::string whole(double value) {
    return std::to_string(static_cast<std::uint64_t>(std::llround(std::max(value, 0.0))));
}

}  // namespace

Rate rate_of(const Done& done) {
    Rate rate;
    if (done.seconds < seconds_min || done.rows == 0) {
        return rate;
    }
    rate.rows_per_second = static_cast<double>(done.rows) / done.seconds;
    const double left = done.expected - static_cast<double>(done.total);
    if (left >= 0) {
        rate.seconds_left = left / rate.rows_per_second;
    }
    return rate;
}

std::string describe_progress(const TableStatus& table) {
    std::string text = std::to_string(table.rows_done);
    if (table.rows_estimated > 0) {
        text += (table.state == TableState::building ? " of " : " of about ") +
                whole(table.rows_estimated);
    }
    text += " rows";
    if (table.state == TableState::copying && table.bytes_done > 0) {
        text += ", " + whole(static_cast<double>(table.bytes_done) / 1e6) + " MB";
    }
    if (table.rows_per_second > 0) {
        text += ", " + whole(table.rows_per_second) + " rows/s";
    }
    if (table.seconds_left.has_value()) {
        text += ", " + whole(std::ceil(*table.seconds_left)) + " s left";
    }
    return text;
}

}  // namespace veer::storage::sync
