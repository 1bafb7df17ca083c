#pragma once

#include "index/elements.hpp"
#include "index/route_index.hpp"
#include "storage/vector.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace veer::router {

/// The nearest rows, nearest first, or why there are none.
using Found = index::Result<std::vector<index::Hit>>;

/// A search to be carried out: by whoever has a thread to spare, with nothing but what is in here.
struct SearchOrder {
    std::shared_ptr<const index::RouteIndex> index;
    storage::Vector vector;
    std::size_t rows = 0;  ///< LIMIT + OFFSET, and a reserve
    std::size_t ef = 0;    ///< candidates kept while walking; at least `rows`

    /// A walk this long would keep other sessions of the same thread waiting.
    bool long_running() const { return ef > ef_of_a_short_walk; }

    Found run() const {
        std::vector<float> memory;
        return index->search(index::elements_of(vector, memory), rows, ef);
    }

  private:
    /// pgvector's default is 40; some 2 us a candidate make this about a millisecond.
    static constexpr std::size_t ef_of_a_short_walk = 400;
};

}  // namespace veer::router
