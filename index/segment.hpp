#pragma once

#include "index/hnsw_graph.hpp"
#include "index/key_store.hpp"
#include "index/memory_budget.hpp"
#include "index/versions.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace veer::index {

/// How far a segment may grow.
struct Room {
    std::size_t slots_max = no_slot;                 ///< of its own
    std::shared_ptr<MemoryBudget> budget = nullptr;  ///< shared with other segments
    std::size_t row_bytes_beside = 0;                ///< what a row takes elsewhere, to be counted
    /// Of its own, where how many slots there are does not say it.
    std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max();
};

/// What rows take of the memory. Vectors that may lie in a file take of it until they are so many.
struct RowBytes {
    std::size_t each = 0;
    std::size_t vector = 0;  ///< besides, of each row whose vector may lie in a file
    std::size_t vectors_max = 0;

    std::uint64_t of(std::uint64_t rows) const {
        return rows * each + std::min<std::uint64_t>(rows * vector, vectors_max);
    }

    /// The most rows that take no more.
    std::uint64_t rows_in(std::uint64_t bytes) const {
        const std::uint64_t beyond = bytes - std::min<std::uint64_t>(bytes, vectors_max);
        return std::max(bytes / (each + vector), beyond / each);
    }
};

/// Everything that has a slot number: vectors in the graph, versions, keys. It grows in place, so
/// that searches never notice; the writer replaces a worn one by a fresh one.
///
/// Invariants:
/// 1. Slots are given out in order and never reused.
/// 2. Vectors that are equal bit for bit share one node, the first of their chain (Versions).
/// 3. A slot has vector, key and version, or does not exist, whatever memory is missing.
class Segment {
  public:
    static Result<std::shared_ptr<Segment>> create(
        const Space& space, const GraphOptions& options, std::size_t capacity, const Room& room = {}
    );

    /// Memory of one row in all arrays, its key excepted beyond 15 bytes.
    static std::size_t bytes_per_slot(std::uint32_t dimensions, std::uint32_t m);

    /// The same with what a row takes in the maps of keys and of vectors, and `beside`, without
    /// what is in a file, and without vectors that have no fixed size.
    static RowBytes row_bytes(
        const Space& space, const GraphOptions& options, std::size_t beside = 0
    );

    /// Makes room in place, however much was asked for.
    Result<void> reserve(std::size_t slots);

    /// Makes room for so many slots and more to come, within Room. Of a space without a fixed size
    /// it has to know the `vector` to come.
    Result<void> make_room(std::size_t slots, std::span<const float> vector = {});

    /// The same where it is known what all vectors take of such a space: all of it, or nothing.
    Result<void> make_room_for(std::size_t slots, std::size_t vector_bytes);

    /// What the slot's vector takes of such a space.
    std::size_t vector_bytes(Slot slot) const {
        return Space::code_floats(vector(slot)) * sizeof(float);
    }

    bool fixed_size() const;

    /// What it has taken of the budget.
    std::uint64_t memory_bytes() const { return share_.bytes(); }

    const HnswGraph& graph() const { return *graph_; }

    Versions& versions() { return versions_; }

    const Versions& versions() const { return versions_; }

    const KeyStore& keys() const { return keys_; }

    struct Added {
        Slot slot = no_slot;
        std::string_view key;     ///< lives as long as the segment
        bool needs_link = false;  ///< a new vector: link() makes it findable
    };

    /// Makes the next slot of a graph that is read back: nobody's until fill().
    Result<Slot> add_empty(std::string_view key, int level);

    /// What is read back, before anyone searches.
    GraphStore& restored_store() { return graph_->restored_store(); }

    Result<void> finish_restored(Slot entry, const std::vector<bool>& lost) {
        return graph_->finish_restored(entry, lost);
    }

    /// Lets rows to come with this vector share the slot's node.
    void take_for_node(std::uint64_t hash, Slot slot) { nodes_by_hash_.try_emplace(hash, slot); }

    /// The node that has this vector, or no_slot.
    Slot node_of(std::uint64_t hash, std::span<const float> vector) const;

    /// Stores one row, born at `birth`. Requires room and a checked vector.
    Result<Added> add(std::string_view key, std::span<const float> vector, Sequence birth);

    /// See HnswGraph::train().
    Result<void> train() { return graph_->train(); }

    /// See HnswGraph::judge_codes(), by some of the first `slots`, which are complete; where it is
    /// due.
    void judge_codes(std::size_t slots);

    void doubt_codes() { graph_->doubt_codes(); }

    /// Links slots of add() with `threads` builders; returns how many failed for want of memory.
    /// Ends early, with slots left unlinked, once `stopping` is set.
    std::size_t link(
        std::span<const Slot> slots, unsigned threads, const std::atomic<bool>* stopping = nullptr
    );

    Result<void> link_one(Slot slot) { return graph_->link(slot); }

    /// See HnswGraph::repair().
    std::size_t repair(std::size_t slots, const std::atomic<bool>& stopping) {
        return graph_->repair(slots, stopping);
    }

    /// The vector as it was added.
    std::span<const float> vector(Slot slot) const { return graph_->vector(slot); }

    /// The row's end, for readers of `sequence` on.
    void kill(Slot slot, Sequence sequence);

    /// Whether the slot's vector is this one, bit for bit.
    bool holds(Slot slot, std::span<const float> vector) const;

  private:
    Segment(
        std::unique_ptr<HnswGraph> graph,
        std::size_t slots_reserved,
        const RowBytes& row_bytes,
        const Room& room
    )
        : row_bytes_{row_bytes},
          slots_max_{room.slots_max},
          bytes_max_{room.bytes_max},
          versions_{slots_reserved},
          keys_{slots_reserved},
          share_{room.budget},
          graph_{std::move(graph)} {}

    const RowBytes row_bytes_;
    const std::size_t slots_max_;
    const std::uint64_t bytes_max_;

    Versions versions_;
    KeyStore keys_;
    std::unordered_map<std::uint64_t, Slot> nodes_by_hash_;  ///< the writer's
    MemoryShare
        share_;  ///< the writer's; given back behind most of it, before a million keys are freed
    std::unique_ptr<HnswGraph> graph_;
};

}  // namespace veer::index
