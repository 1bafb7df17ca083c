#pragma once

#include "index/hnsw_graph.hpp"
#include "index/key_store.hpp"
#include "index/versions.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace veer::index {

/// Everything that has a slot number: vectors in the graph, versions, keys. Of fixed capacity; the
/// writer replaces a full segment by a larger copy and a worn one by a fresh one.
///
/// Invariants:
/// 1. Slots are given out in order and never reused.
/// 2. Vectors that are equal bit for bit share one node, the first of their chain (Versions).
class Segment {
  public:
    static Result<std::shared_ptr<Segment>> create(
        const Space& space, const GraphOptions& options, std::size_t capacity
    );

    /// Copies into a larger segment and leaves this one to its readers.
    Result<std::shared_ptr<Segment>> grown(std::size_t capacity);

    const HnswGraph& graph() const { return *graph_; }

    Versions& versions() { return versions_; }

    const Versions& versions() const { return versions_; }

    const KeyStore& keys() const { return keys_; }

    struct Added {
        Slot slot = no_slot;
        std::string_view key;     ///< lives as long as any copy of the segment
        bool needs_link = false;  ///< a new vector: link() makes it findable
    };

    /// Stores one row, born at `birth`. Requires room and a checked vector.
    Result<Added> add(std::string_view key, std::span<const float> vector, Sequence birth);

    /// Links slots of add() with `threads` builders; returns how many failed for want of memory.
    std::size_t link(std::span<const Slot> slots, unsigned threads);

    Result<void> link_one(Slot slot) { return graph_->link(slot); }

    /// Whether the slot's vector is this one, bit for bit.
    bool holds(Slot slot, std::span<const float> vector) const;

    /// The k nearest of all visible slots below `slots`, by comparing with each.
    std::vector<Slot> scan(
        const Space& space, const float* query, std::size_t k, std::size_t slots, Sequence published
    ) const;

  private:
    Segment(std::unique_ptr<HnswGraph> graph, Versions versions, KeyStore keys)
        : graph_{std::move(graph)}, versions_{std::move(versions)}, keys_{std::move(keys)} {}

    std::unique_ptr<HnswGraph> graph_;
    Versions versions_;
    KeyStore keys_;
    std::unordered_map<std::size_t, Slot> nodes_by_hash_;  ///< the writer's
};

}  // namespace veer::index
