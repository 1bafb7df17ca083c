#pragma once

#include "index/filter.hpp"
#include "index/replica.hpp"
#include "router/compare/judgement.hpp"
#include "storage/lsn.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace veer::router {

class Candidate;

}  // namespace veer::router

namespace veer::router::compare {

/// What sessions count without a lock, of one route.
struct Tally {
    std::atomic<std::uint64_t> searches = 0;     ///< all, compared or not
    std::atomic<std::uint64_t> sampled = 0;      ///< chosen by the rate
    std::atomic<std::uint64_t> repeated = 0;     ///< of these, the same search as a moment ago
    std::atomic<std::uint64_t> shed = 0;         ///< of these, dropped, for one of these reasons:
    std::atomic<std::uint64_t> shed_load = 0;    ///< as much as load_max was in flight
    std::atomic<std::uint64_t> shed_budget = 0;  ///< budget_per_second was spent
    std::atomic<std::uint64_t> shed_busy = 0;    ///< nobody was free
    std::atomic<std::uint64_t> failed = 0;  ///< of these, given up: Postgres or the clock said no
};

/// One search that has been answered, and by whom: what a session hands over to have it compared.
/// Bounded: a vector of at most 16,000 dimensions, a filter of few values, and k rows of an answer.
struct Observation {
    std::string route;  ///< its name
    std::shared_ptr<Tally> tally;
    std::shared_ptr<const index::IndexedColumn> column;
    std::string shape;  ///< the normalised text: literals are not in it
    std::vector<float> vector;
    std::shared_ptr<Candidate> candidate;  ///< whose answer is compared; null: the index'
    std::size_t k = 0;
    std::optional<index::Filter> filter = std::nullopt;  ///< all of WHERE; nothing: every row
    /// What the search gives out beside key and distance, where veer writes it: positions in
    /// Table::copied, the order of Hit::values.
    std::vector<std::size_t> columns = {};
    std::optional<std::uint32_t> ef_search;  ///< of the session; nothing: it was not asked
    double place = 0;                        ///< see RecentSamples
    bool served_by_veer = false;
    std::optional<Rows> veer;  ///< where veer answered: the rows that it found
    storage::Lsn applied;      ///< where veer answered: how far the index was before it looked
    std::optional<double> served_ms;  ///< what the client waited
    std::optional<double> search_ms;  ///< where veer answered: of that, the search in the index
};

/// Where observations go. Called on the client's thread: it must neither block nor fail; what
/// cannot be taken at once is dropped and counted.
class Sink {
  public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    virtual void offer(Observation observation) noexcept = 0;
};

}  // namespace veer::router::compare
