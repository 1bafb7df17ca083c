#pragma once

#include "storage/row.hpp"
#include "storage/table.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace veer::storage::verify {

/// Which rows are compared next without anybody asking, and when: all tables, in the order of their
/// OIDs, over and over.
///
///     ├─ piece ─┤ pause ├─ piece ─┤ pause ... ├ piece ┤ ── until `pass_every` after the first ──▶
///       10 s of the rate in rows, compared at once; the pause makes the rate
///
/// Pure: the time is an input.
class Patrol {
  public:
    using Clock = std::chrono::steady_clock;

    struct Options {
        double rows_per_second = 0;            ///< zero: nothing is ever due
        std::chrono::milliseconds pass_every;  ///< from one pass' beginning to the next one's
    };

    struct Piece {
        TableOid table;
        std::optional<RowKey> after;
        std::uint64_t rows_max = 0;
    };

    Patrol(Options options, Clock::time_point now)
        : options_{options}, due_{now + std::chrono::milliseconds{options.pass_every / 60}} {}

    /// When to ask next() again.
    Clock::time_point due() const { return due_; }

    /// The next piece of these tables, where one is due.
    std::optional<Piece> next(std::vector<TableOid> tables, Clock::time_point now);

    /// So many rows of the last piece were compared; `end` is the last key of the last one, and
    /// nothing where the table is done.
    void compared(std::uint64_t rows, std::optional<RowKey> end, Clock::time_point now);

    /// The last piece could not be compared: it is tried again, some times, so that a moment
    /// without a free slot does not leave the rest of a large table to the next pass; then the
    /// table is.
    void failed(Clock::time_point now);

  private:
    Options options_;
    Clock::time_point due_;
    Clock::time_point pass_began_;
    bool passing_ = false;
    TableOid table_;  ///< that is being compared, or was last
    bool inside_ = false;
    std::optional<RowKey> after_;
    int failures_ = 0;  ///< of this piece
};

}  // namespace veer::storage::verify
