#include "router/search_order.hpp"

#include "router/candidate.hpp"

namespace veer::router {

Found SearchOrder::run() const {
    if (candidate != nullptr) {
        return candidate->search(*this);
    }
    if (abandoned && abandoned->load()) {
        return index::make_error_code(index::Errc::cancelled);
    }
    if (deadline && std::chrono::steady_clock::now() > *deadline) {
        return index::make_error_code(index::Errc::late);
    }
    std::vector<float> memory;
    return index->search(
        {.query = index::elements_of(vector, memory),
         .k = rows,
         .ef = ef,
         .filter = filter ? &*filter : nullptr,
         .columns = columns,
         .limits = {.cancelled = abandoned.get(), .deadline = deadline}}
    );
}

}  // namespace veer::router
