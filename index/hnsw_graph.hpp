#pragma once

#include "index/error.hpp"
#include "index/slot.hpp"
#include "index/space.hpp"
#include "index/versions.hpp"

#include <memory>
#include <span>
#include <vector>

namespace veer::index {

struct GraphOptions {
    std::uint32_t m = 16;  ///< 2 to 100, as in pgvector; others are moved into this range
    std::uint32_t ef_construction = 64;
    std::uint64_t seed = 1;
};

/// A slot and its walk distance (Space::walk).
struct Found {
    float distance = 0;
    Slot slot = no_slot;
};

/// The only owner of hnswlib: its memory, its link lists and its neighbour heuristic, with our own
/// insertion and our own walk. One node's record, aligned to cache lines:
///
///     code (Space) | link count, links x 2m | label          upper layers: hnswlib's linkLists_
///     0            | after the code         |
///
/// Invariants:
/// 1. append() has one caller at a time; link() may run in several threads for different slots;
///    search() may run at any time beside both. Capacity is fixed.
/// 2. A link list is read and written under hnswlib's link_list_locks_[node], held only as long as
///    that takes. Code, level and upper lists of a node never change after append().
/// 3. A node is linked from layer 0 upwards, its own list before the links to it. So whoever finds
///    it on a layer can go on below it, without hnswlib's lock over the whole insertion.
/// 4. Every node but the first has a parent, a neighbour whose link to it the heuristic may not
/// drop
///    on layer 0. Without it an outlier loses its last incoming link once rows crowd around its
///    neighbours, and no walk finds it again.
/// 5. The entry point and its layer are one atomic word, set after the node is linked.
/// 6. No exception leaves: memory that cannot be had is Errc::out_of_memory.
class HnswGraph {
  public:
    static Result<std::unique_ptr<HnswGraph>> create(
        const Space& space, const GraphOptions& options, std::size_t capacity
    );
    HnswGraph(const HnswGraph&) = delete;
    HnswGraph& operator=(const HnswGraph&) = delete;
    ~HnswGraph();

    /// A copy with more room, for the writer while nobody appends or links.
    Result<std::unique_ptr<HnswGraph>> grown(std::size_t capacity) const;

    std::size_t capacity() const;

    /// Slots appended so far; for the writer.
    std::size_t size() const;

    /// Stores a checked vector in the next slot; no walk finds it before link().
    /// Requires size() < capacity().
    Result<Slot> append(std::span<const float> vector);

    /// Makes the slot a node. The first node must be alone; the next hundreds should be.
    Result<void> link(Slot slot);

    /// The stored code; valid as long as the graph.
    const float* code(Slot slot) const;

    /// The up to `ef` nearest visible slots, in no order. `query` is a code. Requires ef >= 1.
    Result<void> search(
        const float* query,
        std::size_t ef,
        const Versions& versions,
        Sequence published,
        std::vector<Found>& found
    ) const;

  private:
    class Impl;
    explicit HnswGraph(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace veer::index
