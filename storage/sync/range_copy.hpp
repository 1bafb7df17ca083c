#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"
#include "storage/source/connection.hpp"
#include "storage/store/store.hpp"
#include "storage/sync/copy_limits.hpp"
#include "storage/sync/copy_pace.hpp"
#include "storage/sync/page_ranges.hpp"
#include "storage/sync/progress.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace veer::storage::sync {

/// Reads what is left of a table into the store, pages by pages, over several connections that see
/// the same snapshot:
///
///     caller's thread and connection ─┐
///     a thread and a connection each ─┴─▶ the next range ─▶ COPY ─▶ rows into the store, as files
///                                            ▲                 of their own ─▶ the record says so
///                                            └─────────────────────────────────────────┘
///
/// A range is of so many pages of the table's file, or of the file of each partition.
///
/// Invariants:
/// 1. The record is saved after the rows, so that no range is left out after a crash.
/// 2. Nobody waits for the index: the rows are read again from the store for it.
/// 3. All of them keep what they have read of locked for as long as this lives.
/// 4. Where further connections cannot be had, fewer read. The first failure of one that reads ends
///    all.
class RangeCopy {
  public:
    struct Context {
        store::Store& store;
        Progress& progress;
        const source::ConnectOptions& options;
        const CopyLimits& limits;
        /// What else its rows have to meet, as a condition of SQL behind the others, or nothing.
        std::string condition;
        std::function<Result<void>()> interrupted;  ///< from any of the threads
    };

    /// `record` is the table's, and is kept up to date.
    RangeCopy(Context context, store::CopyRecord& record);

    /// `leader` is in the transaction that sees the snapshot and keeps DDL off the table.
    Result<void> run(source::Connection& leader);

  private:
    Result<void> plan(source::Connection& leader);
    Result<source::Connection> open_helper(const std::string& snapshot) const;
    void help(const std::string& snapshot);
    void read_or_fail(const std::function<Result<void>()>& read);
    Result<void> read_ranges(source::Connection& connection);
    Result<void> read_range(source::Connection& connection, const PageRange& range);
    Result<void> advance(std::size_t rows, std::size_t bytes);
    Result<void> wait(CopyPace::Clock::duration time) const;
    Result<void> wait_for_room() const;
    std::optional<PageRange> next();
    Result<void> finish(const PageRange& range, std::uint64_t rows, std::uint64_t bytes);
    Result<void> failure() const;
    void fail(const Error& error);

    Context context_;
    mutable std::mutex mutex_;  ///< guards all below
    store::CopyRecord& record_;
    std::deque<PageRange> left_;
    CopyPace pace_;
    std::vector<source::Connection> ended_;  ///< whose transactions go on
    std::optional<Error> failed_;
};

}  // namespace veer::storage::sync
