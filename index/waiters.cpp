#include "index/waiters.hpp"

#include <utility>

namespace veer::index {

Waiters::Id Waiters::add(storage::Lsn lsn, Done done) {
    const Id id = ++last_;
    by_id_.emplace(id, by_lsn_.emplace(lsn, std::pair{id, std::move(done)}));
    return id;
}

void Waiters::cancel(Id id) {
    const auto waiter = by_id_.find(id);
    if (waiter != by_id_.end()) {
        by_lsn_.erase(waiter->second);
        by_id_.erase(waiter);
    }
}

std::vector<Waiters::Done> Waiters::reached(storage::Lsn applied) {
    return take(by_lsn_.upper_bound(applied));
}

std::vector<Waiters::Done> Waiters::all() {
    return take(by_lsn_.end());
}

std::vector<Waiters::Done> Waiters::take(ByLsn::iterator end) {
    std::vector<Done> taken;
    for (auto waiter = by_lsn_.begin(); waiter != end; waiter = by_lsn_.erase(waiter)) {
        by_id_.erase(waiter->second.first);
        taken.push_back(std::move(waiter->second.second));
    }
    return taken;
}

}  // namespace veer::index
