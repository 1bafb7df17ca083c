#pragma once

#include "index/reserved_memory.hpp"
#include "index/slot.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <thread>

namespace veer::index {

inline constexpr std::uint32_t m_max = 100;

/// The links of one read; 2m are the most.
using Links = std::array<Slot, std::size_t{2} * m_max>;

/// One node's links on one layer, as it lies in memory:
///
///     version | lock | chosen | link x room          no_slot behind the last link
///
/// Invariants:
/// 1. Readers take no lock. A list read while it is rewritten is read again: `version` is odd
///    meanwhile, and differs afterwards. A writer put to sleep there is not waited for; a mixture
///    of old and new links is still a list of nodes.
/// 2. Writers hold `lock` from reading what they change until it is changed. Nobody holds two.
/// 3. Links are stored with release and loaded with acquire: who reads a link sees its node whole,
///    and who reads a new link sees the odd version before it.
class LinkList {
  public:
    LinkList(std::byte* memory, std::size_t room)
        : head_{reinterpret_cast<Head*>(memory)},
          links_{reinterpret_cast<std::atomic<Slot>*>(memory + sizeof(Head))},
          room_{room} {}

    static std::size_t bytes(std::size_t room) { return sizeof(Head) + room * sizeof(Slot); }

    /// Makes an empty list of raw memory.
    void construct() {
        new (head_) Head{};
        for (std::size_t i = 0; i < room_; ++i) {
            new (links_ + i) std::atomic<Slot>{no_slot};
        }
    }

    std::size_t room() const { return room_; }

    /// With up to 32 links, which lie in three lines at most, all of it.
    void prefetch() const {
        const auto* const begin = reinterpret_cast<const std::byte*>(head_);
        const std::size_t size = bytes(room_);
        __builtin_prefetch(begin);
        __builtin_prefetch(begin + std::min(cache_line, size - 1));
        __builtin_prefetch(begin + size - 1);
    }

    /// Copies the links, returns how many.
    std::size_t read(Links& links) const {
        for (int attempt = 1;; ++attempt) {
            const std::uint32_t before = head_->version.load(std::memory_order_acquire);
            std::size_t count = 0;
            for (; count < room_; ++count) {
                const Slot link = links_[count].load(std::memory_order_acquire);
                if (link == no_slot) {
                    break;
                }
                links[count] = link;
            }
            const bool whole =
                before % 2 == 0 && head_->version.load(std::memory_order_relaxed) == before;
            if (whole || attempt == attempts_max) {
                return count;
            }
        }
    }

    /// Adds a link behind `count` others. Requires the lock.
    void append(std::size_t count, Slot link) {
        links_[count].store(link, std::memory_order_release);
    }

    /// How many of its links, which are its first, the writer that filled it had chosen for being
    /// diverse; 0 where nobody has judged them. Requires the lock.
    std::size_t chosen() const { return head_->chosen; }

    /// Replaces all links. Requires the lock.
    void write(std::span<const Slot> links, std::size_t chosen) {
        head_->chosen = static_cast<std::uint16_t>(chosen);
        const std::uint32_t version = head_->version.load(std::memory_order_relaxed);
        head_->version.store(version + 1, std::memory_order_relaxed);
        for (std::size_t i = 0; i < room_; ++i) {
            links_[i].store(i < links.size() ? links[i] : no_slot, std::memory_order_release);
        }
        head_->version.store(version + 2, std::memory_order_release);
    }

    // For std::lock_guard.
    void lock() {
        for (int attempt = 1; head_->locked.exchange(1, std::memory_order_acquire) != 0;
             ++attempt) {
            if (attempt % attempts_max == 0) {
                std::this_thread::yield();
            }
        }
    }

    void unlock() { head_->locked.store(0, std::memory_order_release); }

  private:
    static constexpr int attempts_max = 100;
    static constexpr std::size_t cache_line = 64;

    struct Head {
        std::atomic<std::uint32_t> version{0};
        std::atomic<std::uint16_t> locked{0};
        std::uint16_t chosen = 0;
    };

    Head* head_;
    std::atomic<Slot>* links_;
    std::size_t room_;
};

/// All nodes' links on all layers, and each node's parent (HnswGraph, invariant 3).
///
///     layer 0        [ list of 2m ] [ list of 2m ] ...              by slot
///     upper layers   [ list of m ] [ list of m ] ...                one for each layer of a node
///     nodes          [ layers | first upper list | parent ] ...     by slot
///     touched        [ what has changed ] ...                       by chunk of slots
class LinkLists {
  public:
    /// Slots of which it is noted together that something about them has changed.
    static constexpr std::size_t chunk_slots = 256;
    static constexpr std::uint8_t links_changed = 1;
    static constexpr std::uint8_t rows_died = 2;

    LinkLists(std::uint32_t m, std::size_t slots_max)
        : m_{m},
          bottom_{slots_max * bottom_bytes(m)},
          upper_{(slots_max * 2 / (m - 1) + spare_lists) * upper_bytes(m)},
          nodes_{slots_max * sizeof(Node)},
          touched_{slots_max / chunk_slots + 1} {}

    /// Memory of one slot, upper layers as they are to be expected.
    static std::size_t bytes_per_slot(std::uint32_t m) {
        return bottom_bytes(m) + upper_bytes(m) / (m - 1) + sizeof(Node);
    }

    bool reserve(std::size_t slots) {
        return bottom_.grow(slots * bottom_bytes(m_)) && nodes_.grow(slots * sizeof(Node)) &&
               touched_.grow(slots / chunk_slots + 1);
    }

    /// Makes the empty lists of a new slot; says whether there was memory. For the writer alone,
    /// slots in order.
    bool add(Slot slot, int level) {
        const std::size_t first = upper_lists_;
        const std::size_t lists = first + static_cast<std::size_t>(level);
        if (level > 0 && !upper_.grow(lists * upper_bytes(m_))) {
            return false;
        }
        upper_lists_ = lists;
        new (nodes() + slot) Node{static_cast<std::uint32_t>(first), level, {no_slot}};
        for (int layer = 0; layer <= level; ++layer) {
            at(slot, layer).construct();
        }
        return true;
    }

    int level(Slot slot) const { return nodes()[slot].level; }

    LinkList at(Slot slot, int layer) const {
        if (layer == 0) {
            return {bottom_.data() + slot * bottom_bytes(m_), std::size_t{2} * m_};
        }
        const std::size_t list = nodes()[slot].upper + static_cast<std::size_t>(layer) - 1;
        return {upper_.data() + list * upper_bytes(m_), m_};
    }

    Slot parent(Slot slot) const { return nodes()[slot].parent.load(std::memory_order_relaxed); }

    void set_parent(Slot slot, Slot parent) {
        nodes()[slot].parent.store(parent, std::memory_order_relaxed);
    }

    /// Notes a change of the slot's chunk. To be called after it: who takes the note sees it. Not
    /// even where it seems to be noted already is it left out: somebody may be taking the note
    /// before the change is to be seen.
    void touch(Slot slot, std::uint8_t what) const {
        touched(slot / chunk_slots).fetch_or(what, std::memory_order_release);
    }

    /// What has changed of a chunk since this was asked last.
    std::uint8_t take_touched(std::size_t chunk) const {
        return touched(chunk).exchange(0, std::memory_order_acquire);
    }

  private:
    std::atomic<std::uint8_t>& touched(std::size_t chunk) const {
        return reinterpret_cast<std::atomic<std::uint8_t>*>(touched_.data())[chunk];
    }

    struct Node {
        std::uint32_t upper;  ///< number of its first list in upper_
        int level;
        std::atomic<Slot> parent;
    };

    /// Beyond twice what levels make likely, for indexes so small that chance rules.
    static constexpr std::size_t spare_lists = 4096;

    static std::size_t bottom_bytes(std::uint32_t m) { return LinkList::bytes(std::size_t{2} * m); }

    static std::size_t upper_bytes(std::uint32_t m) { return LinkList::bytes(m); }

    Node* nodes() const { return reinterpret_cast<Node*>(nodes_.data()); }

    std::uint32_t m_;
    ReservedMemory bottom_;
    ReservedMemory upper_;
    ReservedMemory nodes_;
    ReservedMemory touched_;  ///< zero bytes are atomics of zero
    std::size_t upper_lists_ = 0;
};

}  // namespace veer::index
