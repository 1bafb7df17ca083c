#include "index/reach.hpp"

namespace veer::index {

Reach::Reach(const LinkLists& links, Slot entry, std::size_t slots)
    : links_{links}, reached_(slots) {
    reach(entry);
}

void Reach::reach(Slot slot) {
    if (slot < reached_.size() && !reached_[slot]) {
        reached_[slot] = true;
        fringe_.push_back(slot);
    }
}

bool Reach::spread(const std::atomic<bool>& stopping) {
    Links links;
    while (!fringe_.empty() && !stopping) {
        const Slot slot = fringe_.back();
        fringe_.pop_back();
        const std::size_t count = links_.at(slot, 0).read(links);
        for (std::size_t i = 0; i < count; ++i) {
            reach(links[i]);
        }
    }
    return fringe_.empty();
}

Slot Reach::next_lost(const std::atomic<bool>& stopping) {
    if (!spread(stopping)) {
        return no_slot;
    }
    Links links;
    for (; next_ < reached_.size(); ++next_) {
        if (!reached_[next_] && links_.at(next_, 0).read(links) > 0) {
            reach(next_);
            return next_++;
        }
    }
    return no_slot;
}

}  // namespace veer::index
