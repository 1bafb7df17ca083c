#pragma once

#include "index/indexed_column.hpp"
#include "index/upkeep.hpp"
#include "storage/chunk_store.hpp"
#include "storage/lsn.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace veer::index {

/// The checkpoints of a replica's graphs: read when a column begins, written beside its writer.
/// They are found again under the table's oid, the column's number and the operator.
///
/// Invariants:
/// 1. Nothing is written while anyone holds interrupt()'s lock, and a checkpoint that was being
///    written has ended before: what was there must not be written under the name of what comes.
/// 2. Without a store, nothing happens.
class GraphCheckpoints {
  public:
    struct Source {
        std::function<std::shared_ptr<const Generation>()> generation;
        std::function<storage::Lsn()> applied;
    };

    /// `store` may be null. No interval: none but at stop().
    GraphCheckpoints(storage::ChunkStore* store, std::chrono::milliseconds interval, Source source);

    std::unique_lock<std::mutex> interrupt();

    /// The graph of a column whose rows are about to come.
    void restore(const IndexedColumn& column, RouteIndex& index);

    /// For the log, once the rows are there.
    static void say_restored(const IndexedColumn& column);

    /// What is indexed no more goes. Requires interrupt()'s lock.
    void sweep(const std::vector<IndexedColumn>& columns);

    /// There is something to write from now on.
    void request();

    /// Writes a last one, in a few seconds, or what they suffice for.
    void stop();

  private:
    std::chrono::milliseconds write(const std::function<bool()>& stop);

    storage::ChunkStore* store_;
    std::chrono::milliseconds interval_;
    Source source_;
    std::mutex mutex_;
    std::atomic<bool> interrupted_{false};
    Upkeep upkeep_{[this](const std::atomic<bool>& stopping) {
        return write([&] { return stopping.load(); });
    }};
};

}  // namespace veer::index
