#include "router/search_order.hpp"

#include "router/candidate.hpp"

namespace veer::router {

Found SearchOrder::run() const {
    if (candidate != nullptr) {
        return candidate->search(*this);
    }
    std::vector<float> memory;
    return index->search(
        {.query = index::elements_of(vector, memory),
         .k = rows,
         .ef = ef,
         .filter = filter ? &*filter : nullptr,
         .columns = columns}
    );
}

}  // namespace veer::router
