#pragma once

#include "index/filter.hpp"
#include "index/metric.hpp"
#include "router/compare/judgement.hpp"
#include "router/compare/tolerance.hpp"
#include "storage/lsn.hpp"
#include "storage/row.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
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

/// Searches of real traffic with their exact answers, which the change stream keeps honest
/// (CUTOVER.md 2.5): recall can be measured at any time, without traffic and without comparing
/// every row again.
///
///     traffic ──offer()──▶ [ vector, k | exact answer ]*     a reservoir, at most `capacity`
///     judge ───judged()──▶      fresh ◀──────┐
///     stream ───note()───▶      stale: a row has come within the k-th distance, or one of the
///                                      answer's has changed or gone  ──▶ judged again
///
/// Invariants:
/// 1. An answer is fresh only if no change after what its judge saw could be in it. Changes that
///    the index may not have shown to the judge are remembered for that; what is forgotten for
///    room leaves answers stale.
/// 2. An update that leaves a row's distance as it is changes no answer; but one among rows that
///    pass a WHERE: the row may pass now, or no longer.
/// 3. Bounded: searches, changes remembered and their bytes.
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
    };

    struct Change {
        storage::Lsn lsn;
        storage::Change what;
    };

    using Distance = std::function<double(std::span<const float>, std::span<const float>)>;

    /// `distance` must give what the index gives.
    GoldenSet(std::size_t capacity, Column column, Distance distance);

    static constexpr std::size_t remembered_max = 4096;
    static constexpr std::size_t remembered_bytes_max = std::size_t{8} << 20U;

    /// What a change takes in memory, about.
    static std::size_t bytes_of(const storage::Change& change);

    const Column& column() const { return column_; }

    /// Another index of the same column, with other ways to add up.
    void set_distance(Distance distance) { distance_ = std::move(distance); }

    void set_capacity(std::size_t capacity);

    /// Each search of the last while has the same chance to be in the set. `random` is any number.
    void offer(Search search, std::uint64_t random);

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

    /// `exact` was found in an index that showed everything up to `as_of`, and perhaps more. False
    /// where that was too long ago, or the search has gone.
    bool judged(std::uint64_t id, storage::Lsn as_of, Rows exact);

    /// The judge could not tell; others come first now.
    void postpone(std::uint64_t id);

    /// All whose answer holds; those first that the index was asked longest ago.
    std::vector<Due> fresh() const;

    /// What the index answers to one of them. Requires that the changes that it may have shown have
    /// been noted. False where the exact answer does not hold any more: it proves nothing then.
    bool measured(std::uint64_t id, const Rows& found);

    /// The recall of what an index answers, likewise; nothing is kept of it.
    std::optional<double> recall(std::uint64_t id, const Rows& found) const;

    GoldenSummary summary() const;

  private:
    struct Entry {
        std::uint64_t id = 0;
        Search search;
        Tolerance tolerance;
        bool fresh = false;
        double border = 0;  ///< of what belongs to the answer; infinite where all rows do
        std::unordered_map<storage::RowKey, double> rows_found = {};  ///< of the answer
        std::uint64_t tried = 0;  ///< the turn of its last judgement
        std::uint64_t asked = 0;  ///< the turn of its last measurement
        std::optional<double> recall = std::nullopt;
    };

    Entry* find(std::uint64_t id);
    bool concerns(const storage::Change& change) const;
    bool alters(const storage::Change& change, const Entry& entry) const;
    void remember(const Change& change);

    std::size_t capacity_;
    Column column_;
    Distance distance_;
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
