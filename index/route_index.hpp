#pragma once

#include "index/error.hpp"
#include "index/filter.hpp"
#include "index/memory_budget.hpp"
#include "index/metric.hpp"
#include "index/quantization.hpp"
#include "index/search_limits.hpp"
#include "index/vector_file.hpp"
#include "storage/chunk_store.hpp"
#include "storage/column_type.hpp"
#include "storage/lsn.hpp"
#include "storage/row.hpp"
#include "storage/vector.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace veer::index {

struct IndexOptions {
    Metric metric = Metric::l2;
    std::uint32_t dimensions = 0;  ///< 1 to 16,000: elements of a vector (element_count())
    storage::VectorKind kind = storage::VectorKind::vector;
    std::uint32_t m = 16;  ///< links a node; 2m at layer 0
    std::uint32_t ef_construction = 64;
    std::uint64_t seed = 1;           ///< of the levels
    std::uint64_t expected_rows = 0;  ///< room to begin with; address space, no memory
    Quantization quantization = Quantization::automatic;
    std::uint64_t memory_bytes_max = std::numeric_limits<std::uint64_t>::max();  ///< of its arrays
    std::shared_ptr<MemoryBudget> budget = nullptr;  ///< shared with other indexes, and by rebuilds
    std::vector<storage::ColumnType> columns = {};   ///< of storage::Table::copied, in its order
    VectorFile vector_file = {};                     ///< for vectors, where the walk compares codes
};

/// What an index of so many rows needs, keys of up to 15 bytes, texts of copied columns excepted; a
/// rebuild needs twice that. What lies in a file does not count. Measured at 768 and 1,536
/// dimensions within 2 %; without codes it says up to a fifth too much.
std::uint64_t memory_estimate(std::uint64_t rows, const IndexOptions& options);

/// The same of vectors in memory, without copied columns.
std::uint64_t memory_estimate(std::uint64_t rows, std::uint32_t dimensions, std::uint32_t m);

/// What is looked for. Everything that it refers to must outlive the search.
struct SearchRequest {
    std::span<const float> query;
    std::size_t k = 0;
    std::size_t ef = 0;
    const Filter* filter = nullptr;             ///< only rows that pass, or all
    std::span<const std::size_t> columns = {};  ///< positions in Table::copied: Hit::values
    SearchLimits limits = {};
};

/// One answer: the row's key (storage::RowKey bytes), pgvector's distance, and for each of
/// SearchRequest::columns the value in its type's binary send format, nothing for NULL.
struct Hit {
    std::string key;
    double distance = 0;
    std::vector<std::optional<std::string>> values = {};
};

/// The rows of one vector column under one metric, searchable while they change. Vectors of every
/// type come as their elements (elements.hpp).
///
///     key ──▶ slot ──▶ { vector + norm | birth | death }      slots are never reused in a segment
///               │         └─ hnswlib node of the same number
///               └──▶ record ──▶ { copied values | birth }      see Records
///
/// A row's vector occupies a slot from transaction `birth` until transaction `death`. A search
/// reads `published` once at its start and sees exactly the slots with birth <= published < death:
/// never half a transaction, without a lock.
///
/// Invariants:
/// 1. One writer (load/put/erase/clear/publish); any number of searches beside it, no data race.
/// 2. An UPDATE of the vector is a death and a new slot, never a changed vector; one of copied
///    values alone is a new record.
/// 3. NULL vectors and, under cosine, zero vectors have a key but no slot, as in pgvector's index.
/// 4. Growth happens in place. When dead slots pass 20 %, a thread of its own builds the graph anew
///    without them (Rebuild), and looks for nodes that no path leads to (Reach). Searches never
///    wait for it, and the writer only while it copies what the writer has changed in the last
///    moment.
class RouteIndex {
  public:
    /// Throws std::bad_alloc where there is no memory even for an empty index.
    explicit RouteIndex(IndexOptions options);
    RouteIndex(const RouteIndex&) = delete;
    RouteIndex& operator=(const RouteIndex&) = delete;
    ~RouteIndex();

    const IndexOptions& options() const;

    /// One row of a bulk load; `vector` is empty for NULL. `values` are those of
    /// IndexOptions::columns, none of them unchanged.
    struct Entry {
        std::string key;
        std::span<const float> vector;
        std::span<const storage::ColumnValue> values = {};
    };

    /// Bulk load with `threads` builders; visible after publish(). Vectors of wrong dimensions, or
    /// with NaN or infinity, are left out and counted in rejected(), those without memory in
    /// missing_rows().
    void load(std::span<const Entry> entries, unsigned threads);

    /// Sets the row's vector (empty span: NULL) and values as part of the open transaction.
    Result<void> put(
        const std::string& key,
        std::span<const float> vector,
        std::span<const storage::ColumnValue> values = {}
    );

    /// Removes the row as part of the open transaction. Unknown keys are fine.
    void erase(const std::string& key);

    /// Removes all rows as part of the open transaction (TRUNCATE).
    void clear();

    /// Makes the open transaction visible to searches that start from now on.
    void publish();

    /// Looks for a checkpoint under `name`, and lets load() take the graph from it for the rows
    /// that are in it as they were. False where there is none; an error where there is one of no
    /// use. To be called before the first load(); the rows decide what the index holds, not the
    /// checkpoint. `store` must outlive the index.
    storage::Result<bool> restore(storage::ChunkStore& store, const std::string& name);

    /// What came of restore(), after publish().
    struct Restored {
        std::uint64_t rows = 0;   ///< taken with their links
        std::uint64_t other = 0;  ///< new or changed since: linked anew
        std::uint64_t lost = 0;   ///< nodes of rows that have gone since: bridged
    };

    std::optional<Restored> restored() const;

    /// Writes what has changed since the last checkpoint, as of what is published by now. Requires
    /// restore(). Beside the writer, from one thread at a time; ends early once `stopping` says so.
    storage::Result<std::uint64_t> checkpoint(
        storage::Lsn position, const std::function<bool()>& stopping
    );

    /// Has the graph built anew from the rows, in the background, whether it is worn or not; what
    /// is searched stays until then. Answers do not change by it, but for what the graph misses.
    void request_rebuild() const;

    /// It is being built anew, or will be.
    bool rebuilding() const;

    /// Waits until no upkeep is due: for tests and benchmarks.
    void settle();

    /// Ends the upkeep for good; what is searched goes on. The destructor does it, too.
    void stop_upkeep();

    /// What upkeep could not be done and why, one sentence; empty when all is well.
    std::string upkeep_trouble() const;

    /// The k nearest visible rows that pass the filter, nearest first; fewer only where there are
    /// fewer. Requires 1 <= k; ef is raised to k, and further while the walk finds fewer rows than
    /// there are. Distances are computed as pgvector does: float accumulation, widened (QUERIES.md
    /// B.4). Ties come in no order. Fails with wrong_dimensions, not_finite or (cosine) zero_norm
    /// of the query, and with wrong_filter where filter or columns are not of this index.
    /// Algorithm: Malkov & Yashunin 2016, algorithms 2 and 5.
    Result<std::vector<Hit>> search(const SearchRequest& request) const;

    Result<std::vector<Hit>> search(
        std::span<const float> query, std::size_t k, std::size_t ef, const SearchLimits& limits = {}
    ) const {
        return search({.query = query, .k = k, .ef = ef, .limits = limits});
    }

    /// The same answer by comparing with every row, or every one that passes: the judge's truth.
    Result<std::vector<Hit>> search_exact(const SearchRequest& request) const;

    Result<std::vector<Hit>> search_exact(
        std::span<const float> query, std::size_t k, const SearchLimits& limits = {}
    ) const {
        return search_exact({.query = query, .k = k, .limits = limits});
    }

    /// The distance as search() would report it. Requires equal, valid dimensions.
    double distance(std::span<const float> a, std::span<const float> b) const;

    std::uint64_t live_rows() const;  ///< rows that a search can return

    /// Whether there are rows that no search returns: pgvector's index does not have them either,
    /// but a table that is sorted does.
    struct Unplaced {
        bool null = false;  ///< of NULL vectors
        bool zero = false;  ///< under cosine, of zero vectors; or such as were rejected
    };

    Unplaced unplaced() const;
    std::uint64_t rows() const;  ///< published or not yet; for the writer
    std::uint64_t dead_slots() const;
    std::uint64_t superseded_values() const;  ///< rows' former values, and those of dead slots
    std::uint64_t rejected() const;
    std::uint64_t rebuilds() const;  ///< how often it was built anew
    std::uint64_t relinked() const;  ///< nodes that were out of reach and are not any more

    /// What its rows take, keys of up to 15 bytes; where it is being rebuilt, without the new one.
    std::uint64_t memory_bytes() const;

    /// What its vectors take of the file, beside that.
    FileBytes file_bytes() const;

    /// Rows that should be here and are not, or are not found, for lack of memory: while there are
    /// any, answers of this index are wrong.
    std::uint64_t missing_rows() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace veer::index
