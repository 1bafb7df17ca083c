#pragma once

#include "index/slot.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace veer::index {

/// The nodes that one walk has seen. One object a thread, used for walk after walk: begin() forgets
/// by raising the epoch, and clears only once in 65,535 walks. Two bytes a node keep it in cache.
class VisitedSet {
  public:
    /// Forgets everything; slots below `capacity` may follow.
    void begin(std::size_t capacity) {
        if (seen_.size() < capacity) {
            seen_.resize(capacity, 0);
        }
        if (++epoch_ == 0) {
            std::fill(seen_.begin(), seen_.end(), std::uint16_t{0});
            epoch_ = 1;
        }
    }

    void prefetch(Slot slot) const { __builtin_prefetch(&seen_[slot]); }

    /// Whether this walk has seen the slot; of one beyond the capacity, that it has not.
    bool seen(Slot slot) const { return slot < seen_.size() && seen_[slot] == epoch_; }

    /// Whether the slot is new.
    bool insert(Slot slot) {
        if (seen_[slot] == epoch_) {
            return false;
        }
        seen_[slot] = epoch_;
        return true;
    }

  private:
    std::vector<std::uint16_t> seen_;
    std::uint16_t epoch_ = 0;
};

}  // namespace veer::index
