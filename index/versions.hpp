#pragma once

#include "index/reserved_memory.hpp"
#include "index/slot.hpp"

#include <atomic>
#include <cstddef>
#include <new>

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
    explicit Versions(std::size_t slots_max) : memory_{slots_max * bytes_per_slot} {}

    static constexpr std::size_t bytes_per_slot = 32;  ///< two in a cache line, none across two

    bool reserve(std::size_t slots) { return memory_.grow(slots * bytes_per_slot); }

    /// Makes the version of a new slot. Requires room.
    void add(Slot slot, Sequence birth) { new (&at(slot)) Version{birth}; }

    void prefetch(Slot slot) const { __builtin_prefetch(&at(slot)); }

    bool visible(Slot slot, Sequence published) const {
        const Version& version = at(slot);
        return version.birth.load(relaxed) <= published && published < version.death.load(relaxed);
    }

    /// The next slot with the same vector, or no_slot.
    Slot next(Slot slot) const { return at(slot).next.load(std::memory_order_acquire); }

    /// The first slot with the same vector, which is the node; the slot itself where it is alone.
    Slot head(Slot slot) const {
        const Slot head = at(slot).head.load(relaxed);
        return head == no_slot ? slot : head;
    }

    Sequence birth(Slot slot) const { return at(slot).birth.load(relaxed); }

    Sequence death(Slot slot) const { return at(slot).death.load(relaxed); }

    void set_death(Slot slot, Sequence sequence) { at(slot).death.store(sequence, relaxed); }

    /// Puts `slot` behind `head`, the chain's node.
    void chain(Slot head, Slot slot) {
        at(slot).head.store(head, relaxed);
        at(slot).next.store(at(head).next.load(relaxed), relaxed);
        at(head).next.store(slot, std::memory_order_release);
    }

  private:
    static constexpr std::memory_order relaxed = std::memory_order_relaxed;

    struct alignas(bytes_per_slot) Version {
        std::atomic<Sequence> birth{never};
        std::atomic<Sequence> death{never};
        std::atomic<Slot> next{no_slot};
        std::atomic<Slot> head{no_slot};
    };

    Version& at(Slot slot) const { return reinterpret_cast<Version*>(memory_.data())[slot]; }

    ReservedMemory memory_;
};

}  // namespace veer::index
