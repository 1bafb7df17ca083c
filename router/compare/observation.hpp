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
    std::atomic<std::uint64_t> sampled = 0;   ///< chosen by the rate
    std::atomic<std::uint64_t> repeated = 0;  ///< of these, the same search as a moment ago
    std::atomic<std::uint64_t> shed = 0;      ///< of these, dropped: no budget, nobody free
    std::atomic<std::uint64_t> failed = 0;    ///< of these, given up: Postgres or the clock said no
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
