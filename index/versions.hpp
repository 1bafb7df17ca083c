#pragma once

#include "index/slot.hpp"

#include <atomic>
#include <memory>

namespace veer::index {

/// Since when and until when each slot's row exists, and which slots hold the same vector.
///
///     slot:  birth | death | next ──▶ another slot with an identical vector ──▶ ... ──▶ no_slot
///
/// Only the first slot of such a chain is a node of the graph: many identical nodes would link to
/// each other only, and the rows behind them would be lost (pgvector groups for the same reason).
///
/// Invariants:
/// 1. One writer; readers beside it. A slot is visible to a reader of `published` when
///    birth <= published < death.
/// 2. Relaxed loads suffice for birth and death: what was written for a published transaction
///    happened before the reader learned of it; a later value, or its absence, reads the same.
/// 3. A chain grows at its front, with release; readers follow it with acquire.
class Versions {
  public:
    explicit Versions(std::size_t capacity)
        : capacity_{capacity}, slots_{std::make_unique<Version[]>(capacity)} {}

    /// A copy with more room. Only the writer may copy.
    Versions(const Versions& other, std::size_t capacity) : Versions{capacity} {
        for (std::size_t i = 0; i < other.capacity_; ++i) {
            const Version& from = other.slots_[i];
            slots_[i].birth.store(from.birth.load(relaxed), relaxed);
            slots_[i].death.store(from.death.load(relaxed), relaxed);
            slots_[i].next.store(from.next.load(relaxed), relaxed);
        }
    }

    void prefetch(Slot slot) const { __builtin_prefetch(&slots_[slot]); }

    bool visible(Slot slot, Sequence published) const {
        const Version& version = slots_[slot];
        return version.birth.load(relaxed) <= published && published < version.death.load(relaxed);
    }

    /// The next slot with the same vector, or no_slot.
    Slot next(Slot slot) const { return slots_[slot].next.load(std::memory_order_acquire); }

    Sequence birth(Slot slot) const { return slots_[slot].birth.load(relaxed); }

    Sequence death(Slot slot) const { return slots_[slot].death.load(relaxed); }

    void set_birth(Slot slot, Sequence sequence) { slots_[slot].birth.store(sequence, relaxed); }

    void set_death(Slot slot, Sequence sequence) { slots_[slot].death.store(sequence, relaxed); }

    /// Puts `slot` behind `head`, the chain's node.
    void chain(Slot head, Slot slot) {
        slots_[slot].next.store(slots_[head].next.load(relaxed), relaxed);
        slots_[head].next.store(slot, std::memory_order_release);
    }

  private:
    static constexpr std::memory_order relaxed = std::memory_order_relaxed;

    struct alignas(32) Version {  // two in a cache line, none across two
        std::atomic<Sequence> birth{never};
        std::atomic<Sequence> death{never};
        std::atomic<Slot> next{no_slot};
    };

    std::size_t capacity_;
    std::unique_ptr<Version[]> slots_;
};

}  // namespace veer::index
