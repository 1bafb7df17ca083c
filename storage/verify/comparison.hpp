#pragma once

#include "storage/row.hpp"
#include "storage/table.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace veer::storage::verify {

struct DigestedRow {
    RowKey key;
    std::uint64_t digest = 0;
};

/// One row that is not the same in the table and in its copy.
struct Difference {
    enum class Kind { missing, extra, other };

    RowKey key;
    Kind kind = Kind::missing;  ///< of the copy: it lacks the row, or has one too many, or another

    friend bool operator==(const Difference&, const Difference&) = default;
};

/// Compares the rows of a range, each with its key once, in any order. The differences come in the
/// order of their keys.
std::vector<Difference> differences(std::vector<DigestedRow> table, std::vector<DigestedRow> copy);

/// "id = 5: missing in the copy", for people.
std::string describe(const Table& table, const Difference& difference);

/// Keeps work to so many rows a second.
class Pace {
  public:
    using Clock = std::chrono::steady_clock;

    /// Zero is no limit.
    Pace(double rows_per_second, Clock::time_point began)
        : rows_per_second_{rows_per_second}, began_{began} {}

    /// How long to wait, now that so many rows in all have been done.
    std::chrono::milliseconds pause(std::uint64_t rows, Clock::time_point now) const;

  private:
    double rows_per_second_;
    Clock::time_point began_;
};

}  // namespace veer::storage::verify
