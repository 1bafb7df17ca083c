#pragma once

#include "index/elements.hpp"
#include "index/route_index.hpp"
#include "index/search_limits.hpp"
#include "storage/vector.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace veer::router {

/// The nearest rows, nearest first, or why there are none.
using Found = index::Result<std::vector<index::Hit>>;

class Candidate;

/// A search to be carried out: by whoever has a thread to spare, with nothing but what is in here.
struct SearchOrder {
    std::shared_ptr<const index::RouteIndex> index;
    storage::Vector vector;
    std::size_t rows = 0;  ///< LIMIT + OFFSET, and a reserve
    std::size_t ef = 0;    ///< candidates kept while walking; at least `rows`
    std::optional<index::Filter> filter = std::nullopt;
    std::vector<std::size_t> columns = {};  ///< positions in Table::copied: Hit::values
    std::uint64_t visits_max = index::SearchLimits{}.visits_max;

    std::shared_ptr<Candidate> candidate = nullptr;  ///< is asked in the index' place
    std::shared_ptr<void> place = nullptr;           ///< of Candidate::admit()

    /// When the index gives up, with Errc::late; and where it is told that nobody waits any more.
    std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;
    std::shared_ptr<const std::atomic<bool>> abandoned = nullptr;

    /// A walk this long would keep other sessions of the same thread waiting, and so would a filter
    /// that is new, or whose rows are all compared, and another server.
    bool long_running() const {
        return candidate != nullptr || ef > ef_of_a_short_walk ||
               (filter.has_value() && index->live_rows() > rows_filtered_shortly);
    }

    Found run() const;

  private:
    /// pgvector's default is 40; some 2 us a candidate make this about a millisecond.
    static constexpr std::size_t ef_of_a_short_walk = 400;
    static constexpr std::uint64_t rows_filtered_shortly = 20'000;
};

}  // namespace veer::router
