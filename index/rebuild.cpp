#include "index/rebuild.hpp"

#include <algorithm>
#include <utility>

namespace veer::index {

/// The dead first: whoever comes after them may have their keys.
bool Rebuild::follow(const Changes& changes, unsigned threads, const std::atomic<bool>& stopping) {
    bury(changes.dead);
    std::vector<Slot> nodes;
    const auto moved = [&](Slot slot) {
        return moved_[slot];
    };
    if (!append(changes.end, nodes, stopping) ||
        !records_.follow(changes.records_end, moved, stopping)) {
        return false;
    }
    (void)fresh_->train();  // without memory for codes, vectors do
    return fresh_->link(nodes, threads, &stopping) == 0 && !stopping;
}

/// Records wait for all slots: they may be of any of them.
Changes Rebuild::first_of(Changes changes, std::size_t most) const {
    if (changes.end - copied_ > most) {
        changes.end = copied_ + most;
        changes.records_end = records_.copied();
    } else {
        changes.records_end = std::min(changes.records_end, records_.copied() + most);
    }
    return changes;
}

void Rebuild::bury(std::span<const Slot> dead) {
    for (const Slot slot : dead) {
        const Slot fresh = slot < copied_ ? moved_[slot] : no_slot;
        if (fresh == no_slot) {
            continue;
        }
        fresh_->kill(fresh, old_->versions().death(slot));
        const auto row = live_.find(fresh_->keys().get(fresh));
        if (row != live_.end() && row->second == fresh) {
            live_.erase(row);
        }
    }
}

bool Rebuild::append(std::size_t end, std::vector<Slot>& nodes, const std::atomic<bool>& stopping) {
    const Versions& versions = old_->versions();
    moved_.resize(end, no_slot);
    for (; copied_ < end; ++copied_) {
        const auto slot = static_cast<Slot>(copied_);
        const Sequence death = versions.death(slot);
        if (death <= published_) {
            continue;
        }
        if (stopping || !fresh_->make_room(fresh_->graph().size() + 1, old_->vector(slot))) {
            return false;
        }
        const auto added =
            fresh_->add(old_->keys().get(slot), old_->vector(slot), versions.birth(slot));
        if (!added) {
            return false;
        }
        fresh_->versions().set_death(added->slot, death);
        moved_[slot] = added->slot;
        if (death == never) {
            live_.insert_or_assign(added->key, added->slot);
        }
        if (added->needs_link) {
            nodes.push_back(added->slot);
        }
    }
    return true;
}

}  // namespace veer::index
