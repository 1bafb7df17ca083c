#pragma once

#include "index/indexed_column.hpp"
#include "index/quantization.hpp"
#include "storage/chunk_store.hpp"
#include "storage/sync/observer.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace veer::index {

struct ReplicaOptions {
    static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

    unsigned threads = 1;  ///< build indexes during a bulk load
    /// Of all indexes, while they are rebuilt, too.
    std::uint64_t memory_bytes_max = unlimited;
    /// Of one index as it is searched.
    std::function<std::uint64_t(const storage::Table&, const storage::AnnIndex&)> route_bytes_max =
        nullptr;
    /// Of one index; null: automatic.
    std::function<Quantization(const storage::Table&, const storage::AnnIndex&)> quantization =
        nullptr;
    VectorFile vector_file = {};                       ///< IndexOptions::vector_file
    storage::ChunkStore* checkpoints = nullptr;        ///< must outlive the replica
    std::chrono::milliseconds checkpoint_interval{0};  ///< zero: none but at stop()
};

/// The index side of the sync: builds and follows a RouteIndex for every column and operator, and
/// publishes them for the router.
///
/// Invariants:
/// 1. generation() is cheap and safe from any thread; a Generation never changes after publication.
/// 2. applied() only grows within a generation, and searches that start after it reached L see all
///    transactions up to L.
/// 3. A column whose rows find no memory is refused, before they come where that can be known, else
///    when it happens, until its table is copied again; the others go on.
/// 4. A column is complete from joined() on (ready() for those of begin()). A table that joins or
///    leaves changes nothing of the others' columns.
/// 5. A RouteIndex has one writer: the joining table's the thread that copies it, all others' the
///    syncer's.
/// 6. Waiters are told from the syncer's thread, each once; a waiter that gives up uses cancel().
///
/// Checkpoints of the graphs are written from a thread of its own (checkpoint.hpp). They are found
/// again under the table's oid, the column's number and the operator.
class Replica final : public storage::sync::Observer {
  public:
    explicit Replica(ReplicaOptions options);

    explicit Replica(unsigned threads) : Replica{ReplicaOptions{.threads = threads}} {}

    ~Replica() override;

    void begin(const std::string& database, const std::vector<storage::Table>& tables) override;
    void rows(storage::TableOid table, std::span<const storage::Row> rows) override;
    void ready(storage::Lsn applied) override;
    void part(std::span<const storage::Change> changes) override;
    void apply(const storage::Transaction& transaction) override;
    void redefine(const std::vector<storage::Table>& tables) override;
    void join(const storage::Table& table) override;
    void catch_up(storage::TableOid table, std::span<const storage::Change> changes) override;
    void joined(storage::TableOid table) override;
    void abandon(storage::TableOid table) override;
    void repair(std::span<const storage::Change> changes) override;
    void applied(storage::Lsn lsn) override;
    void status(const storage::sync::Status& status) override;

    /// After the syncer has stopped: a last checkpoint, in a few seconds, or what they suffice for.
    void stop();

    std::shared_ptr<const Generation> generation() const;
    storage::Lsn applied() const;

    /// That applied() is a position of, as far as the stream has shown it; else 0.
    std::uint32_t timeline() const;
    storage::sync::Status status() const;

    using WaiterId = std::uint64_t;

    /// Calls `done` once, from the syncer's thread, when applied() >= lsn or the generation ends
    /// (the caller looks again). Returns 0 and does not call where applied() >= lsn already.
    WaiterId wait_for(storage::Lsn lsn, std::function<void()> done);
    void cancel(WaiterId waiter);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace veer::index
