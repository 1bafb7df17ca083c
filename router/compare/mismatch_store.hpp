#pragma once

#include "router/compare/judgement.hpp"
#include "router/compare/observation.hpp"
#include "router/compare/statistics.hpp"
#include "storage/lsn.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace veer::router::compare {

/// One comparison in which the answers differed, whole, so that it can be looked at and run again
/// (CUTOVER.md 2.9). Literals of the statement are not in it; keys and the query vector are. It
/// names its route and holds nothing of it, so that an old copy's index can go.
struct Mismatch {
    std::uint64_t id = 0;       ///< from 1, in order; given by the store
    std::int64_t taken_us = 0;  ///< microseconds since 1970
    std::string route;
    std::string shape;
    std::uint32_t ef_search = 0;  ///< of both engines
    std::vector<float> vector;
    std::optional<index::Filter> filter = std::nullopt;  ///< all of WHERE; nothing: every row
    std::vector<std::size_t> columns = {};               ///< see Observation
    /// Of these, the names of those that differ; their values are not kept.
    std::vector<std::string> payload = {};
    bool asked_twice = false;  ///< where they differed, Postgres was asked a second time
    Triangle answers;
    Judgement judgement;
    Durations durations;
    storage::Lsn pg_lsn;   ///< Postgres' insert position after its answer
    storage::Lsn applied;  ///< the copy's before veer's answer

    std::size_t bytes() const;
};

/// The mismatches worth keeping: at most `keep`, and `bytes_max`, none older than `age_max`.
///
/// Where there is no room the oldest of the most frequent class goes, so that what is common cannot
/// push out what is rare.
class MismatchStore {
  public:
    static constexpr std::size_t bytes_max = std::size_t{64} << 20U;
    static constexpr std::int64_t age_max_us = std::int64_t{7} * 86'400 * 1'000'000;

    explicit MismatchStore(std::size_t keep) : keep_(keep) {}

    void set_keep(std::size_t keep);

    /// Returns its id; 0 where nothing is kept.
    std::uint64_t add(Mismatch mismatch);

    /// Oldest first.
    std::vector<std::shared_ptr<const Mismatch>> all() const;

    std::shared_ptr<const Mismatch> find(std::uint64_t id) const;

  private:
    void make_room();
    void drop(std::size_t at);

    std::size_t keep_;
    std::uint64_t last_ = 0;
    std::size_t bytes_ = 0;
    std::deque<std::shared_ptr<const Mismatch>> kept_;
    std::array<std::size_t, difference_count> of_class_{};
};

}  // namespace veer::router::compare
