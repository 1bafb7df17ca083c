#pragma once

#include "index/filter.hpp"
#include "index/metric.hpp"
#include "index/passes.hpp"
#include "router/compare/judgement.hpp"
#include "router/compare/tolerance.hpp"
#include "storage/lsn.hpp"
#include "storage/row.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace veer::router::compare {

/// What a golden set has come to, as it is shown.
struct GoldenSummary {
    std::size_t searches = 0;
    std::size_t fresh = 0;      ///< whose exact answer holds
    std::uint64_t judged = 0;   ///< exact answers so far, first ones and refills
    std::size_t measured = 0;   ///< of the fresh ones, those that the index was asked
    double recall = 1;          ///< their mean
    double recall_at_most = 1;  ///< the mean that three standard errors allow

    /// Fewer say nothing.
    static constexpr std::size_t measured_min = 20;

    bool tells() const { return measured >= measured_min; }
};

/// Searches of real traffic with their exact answers, which the change stream keeps up (CUTOVER.md
/// 2.5): recall can be measured at any time, without traffic and without comparing every row again.
///
///     traffic ──offer()──▶ [ vector, k | exact answer and a reserve ]*    a reservoir
///     judge ───judged()──▶      fresh ◀───────────────┐
///     stream ───note()───▶      a row within `complete` comes in, another goes out: still fresh
///                               stale: fewer than k are left, or nobody knows  ──▶ judged again
///
///     rows by distance   a  b  c  d  e | f  g ...        k = 3: a, b, c are the answer
///                                      └ complete: no row that is not known is nearer
///
/// Invariants:
/// 1. Of a fresh entry, every row that passes and is nearer than `complete` is known, as of the
/// last
///    change that was noted. Changes that the index may not have shown to the judge are remembered
///    and made up for; what is forgotten for room leaves answers stale.
/// 2. What an index has answered is held against an answer only where the index had everything that
///    has altered it (`altered`).
/// 3. Where it cannot be told whether a row passes a WHERE, or how far it is, the entry is stale if
///    that row may belong to it.
/// 4. Bounded: searches, rows known of each, changes remembered and their bytes.
///
/// A value without locks or clocks; chance is an argument.
class GoldenSet {
  public:
    struct Column {
        storage::TableOid table;
        std::size_t vector = 0;  ///< position in the table's vectors
        index::Metric metric = index::Metric::l2;
        std::optional<std::size_t> legacy = std::nullopt;  ///< as in storage::AnnIndex

        friend bool operator==(const Column&, const Column&) = default;
    };

    struct Search {
        std::vector<float> vector;
        std::size_t k = 0;
        std::size_t ef = 0;
        std::optional<index::Filter> filter = std::nullopt;  ///< all of WHERE; nothing: every row
        std::uint64_t shape = 0;  ///< cutover::shape_id(): of its statement
    };

    struct Change {
        storage::Lsn lsn;
        storage::Change what;
    };

    using Distance = std::function<double(std::span<const float>, std::span<const float>)>;

    /// Whether a row passes a WHERE.
    using Passes = std::unique_ptr<index::RowProbe>;

    /// `distance` and `passes` must give what the index gives. Without `passes` it is never known.
    GoldenSet(std::size_t capacity, Column column, Distance distance, Passes passes = {});

    static constexpr std::size_t remembered_max = 4096;
    static constexpr std::size_t remembered_bytes_max = std::size_t{8} << 20U;

    /// What a change takes in memory, about.
    static std::size_t bytes_of(const storage::Change& change);

    /// Of its copied values.
    static std::size_t bytes_of_values(const storage::Row& row);

    const Column& column() const { return column_; }

    /// Another index of the same column, with other ways to add up.
    void set_index(Distance distance, Passes passes);

    void set_capacity(std::size_t capacity);

    /// The nearest rows, of `asked`, as found in an index that showed everything up to `as_of`, and
    /// perhaps more. To ask for exact_rows(k) leaves a reserve for rows that go.
    struct Exact {
        storage::Lsn as_of;
        std::size_t asked = 0;
        Rows rows = {};
    };

    /// Each search of the last while has the same chance to get in, and shapes come to have equal
    /// parts of the set: who comes in takes the place of one of the shape that has most. `random`
    /// is any number. Whoever has its exact answer already spares the judge.
    void offer(Search search, std::uint64_t random, std::optional<Exact> exact = std::nullopt);

    /// The stream's changes of all tables, in order. Requires that whatever the index shows has
    /// been noted before it was shown.
    void note(const Change& change);

    /// Anything up to here may have changed.
    void lose(storage::Lsn upto);

    struct Due {
        std::uint64_t id = 0;
        Search search;
    };

    /// At most `count` of them.
    std::vector<Search> searches(std::size_t count) const;

    /// A search whose exact answer is wanted; the one that has waited longest.
    std::optional<Due> next_stale() const;

    /// False where that was too long ago, too few are left of it, or the search has gone.
    bool judged(std::uint64_t id, Exact exact);

    /// The judge could not tell; others come first now.
    void postpone(std::uint64_t id);

    /// All whose answer holds, or those of them that the index was not asked since it became what
    /// it is; those first that the index was asked longest ago.
    std::vector<Due> fresh(bool unmeasured_only = false) const;

    /// What an index that showed everything up to `as_of` answers to one of them. Requires that the
    /// changes that it may have shown have been noted. False where the exact answer does not hold
    /// any more, or is another since: it proves nothing then.
    bool measured(std::uint64_t id, storage::Lsn as_of, const Rows& found);

    /// The recall of what an index answers, likewise; nothing is kept of it.
    std::optional<double> recall(std::uint64_t id, storage::Lsn as_of, const Rows& found) const;

    GoldenSummary summary() const;

  private:
    struct Entry {
        std::uint64_t id = 0;
        Search search;
        Tolerance tolerance;
        std::optional<index::Predicate> predicate =
            std::nullopt;  ///< its filter, made ready; nothing: it can never be told
        bool fresh = false;
        double complete = 0;        ///< see invariant 1; infinite where all rows are known
        storage::Lsn altered = {};  ///< the last change that has altered the answer
        std::unordered_map<storage::RowKey, double> known = {};  ///< distances
        std::uint64_t tried = 0;                                 ///< the turn of its last judgement
        std::uint64_t asked = 0;  ///< the turn of its last measurement
        std::optional<double> recall = std::nullopt;
    };

    enum class Place : std::uint8_t { inside, outside, unknown };

    Entry* find(std::uint64_t id);
    Entry& victim(std::uint64_t shape, std::uint64_t random);
    bool concerns(const storage::Change& change) const;
    bool take(Entry& entry, Exact exact);
    void prepare(Entry& entry) const;
    void begin(const Change& change) const;
    void follow(Entry& entry, const Change& change) const;
    void follow(Entry& entry, const storage::Upsert& upsert, storage::Lsn lsn) const;
    void forget(Entry& entry, const storage::RowKey& key, storage::Lsn lsn) const;
    void trim(Entry& entry) const;
    Place place_of(const Entry& entry, const storage::Row& row, double& distance) const;
    double border(const Entry& entry) const;
    void remember(const Change& change);

    std::size_t capacity_;
    Column column_;
    Distance distance_;
    Passes passes_;  ///< at the row of the change that is followed
    std::vector<Entry> entries_;
    std::uint64_t last_id_ = 0;
    std::uint64_t offered_ = 0;
    std::uint64_t judged_ = 0;
    std::uint64_t turn_ = 0;
    std::deque<Change> remembered_;
    std::size_t bytes_ = 0;
    storage::Lsn known_from_;  ///< changes up to here are not remembered
};

}  // namespace veer::router::compare
