#include "router/search_order.hpp"

#include "router/candidate.hpp"

#include <exception>

namespace veer::router {

namespace {

Found carried_out(const SearchOrder& order) {
    if (order.candidate != nullptr) {
        return order.candidate->search(order);
    }
    if (order.abandoned && order.abandoned->load()) {
        return index::make_error_code(index::Errc::cancelled);
    }
    if (order.deadline && std::chrono::steady_clock::now() > *order.deadline) {
        return index::make_error_code(index::Errc::late);
    }
    std::vector<float> memory;
    return order.index->search(
        {.query = index::elements_of(order.vector, memory),
         .k = order.rows,
         .ef = order.ef,
         .filter = order.filter ? &*order.filter : nullptr,
         .columns = order.columns,
         .limits =
             {.visits_max = order.visits_max,
              .cancelled = order.abandoned.get(),
              .deadline = order.deadline}}
    );
}

}  // namespace

/// Whatever thread carries it out: one search without memory is Postgres' to answer, and must not
/// end the others.
Found SearchOrder::run() const {
    try {
        return carried_out(*this);
    } catch (const std::exception&) {
        return index::make_error_code(index::Errc::out_of_memory);
    }
}

}  // namespace veer::router
