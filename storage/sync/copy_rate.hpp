#pragma once

#include "storage/sync/observer.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace veer::storage::sync {

/// What has been done of something, and in how long.
struct Done {
    std::uint64_t rows = 0;   ///< in these seconds
    std::uint64_t total = 0;  ///< and before
    double expected = 0;      ///< in total; 0 where nobody knows
    double seconds = 0;
};

struct Rate {
    double rows_per_second = 0;
    /// Nothing where it cannot be told: too early, or there are more rows than were expected.
    std::optional<double> seconds_left = {};
};

Rate rate_of(const Done& done);

/// "1200000 of about 3000000 rows, 3686 MB, 61000 rows/s, 29 s left": what is known of it.
std::string describe_progress(const TableStatus& table);

}  // namespace veer::storage::sync
