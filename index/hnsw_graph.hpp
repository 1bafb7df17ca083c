#pragma once

#include "index/error.hpp"
#include "index/quantization.hpp"
#include "index/search_limits.hpp"
#include "index/slot.hpp"
#include "index/space.hpp"
#include "index/vector_file.hpp"
#include "index/versions.hpp"
#include "index/walk.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace veer::index {

class GraphStore;

struct GraphOptions {
    std::uint32_t m = 16;  ///< 2 to 100, as in pgvector; others are moved into this range
    std::uint32_t ef_construction = 64;
    std::uint64_t seed = 1;
    Quantization quantization = Quantization::automatic;
    bool walk_vectors = false;    ///< as codes have proved too coarse
    VectorFile vector_file = {};  ///< for vectors, where the walk can do without them
};

struct MatchingRows;
struct Surroundings;

/// Whether a walk has compared vectors, or codes whose order is to be corrected.
enum class Precision { exact, approximate };

/// The graph of Malkov & Yashunin 2016 over a GraphStore: insertion and search.
///
/// Invariants:
/// 1. reserve(), append() and train() have one caller at a time; link() may run in several threads
///    for different slots; search() may run at any time beside all of them.
/// 2. A node is linked from layer 0 upwards, its own list before the links to it. So whoever finds
///    it on a layer can go on below it, without a lock over the whole insertion.
/// 3. Every node but the first has a parent, a neighbour whose link to it the heuristic may not
/// drop
///    on layer 0. Without it an outlier loses its last incoming link once rows crowd around its
///    neighbours, and no walk finds it again.
/// 4. The entry point and its layer are one atomic word, set after the node is linked.
/// 5. No exception leaves: memory that cannot be had is Errc::out_of_memory.
class HnswGraph {
  public:
    /// Rows from which codes are learnt; before, walks compare vectors.
    static constexpr std::size_t trained_rows_min = 1000;

    /// Takes address space for `slots_max`, and no memory before reserve().
    static Result<std::unique_ptr<HnswGraph>> create(
        const Space& space, const GraphOptions& options, std::size_t slots_max
    );
    HnswGraph(const HnswGraph&) = delete;
    HnswGraph& operator=(const HnswGraph&) = delete;
    ~HnswGraph();

    /// Memory of one row's vector, code and links, for estimates.
    static std::size_t bytes_per_slot(std::uint32_t dimensions, std::uint32_t m);

    /// Of that, what lies in the file or in its memory_first: the vector, where the walk can do
    /// without it.
    static std::size_t file_bytes_per_slot(const Space& space, const GraphOptions& options);

    /// Makes room in place; searches go on.
    Result<void> reserve(std::size_t slots);

    std::size_t capacity() const;

    /// Links of a node of the bottom layer, at most.
    std::size_t links_per_node() const;

    /// Cache lines of what distances are computed of, and of the signs that spare most of these; 0
    /// where there are none.
    std::size_t code_lines() const;
    std::size_t sign_lines() const;

    /// Slots appended so far; for the writer.
    std::size_t size() const;

    /// Stores a checked vector in the next slot; no walk finds it before link().
    /// Requires size() < capacity().
    Result<Slot> append(std::span<const float> vector);

    /// Switches to codes once there are rows enough to learn them from. To be called between
    /// append() and link(), as often as one likes.
    Result<void> train();

    /// Whether there are half as many rows again as when codes were judged last.
    bool codes_to_be_judged() const;

    /// Judges the codes by these slots, which have vectors: where they do not tell who is near,
    /// walks compare vectors from now on. From one thread at a time, beside writer and searches.
    void judge_codes(std::span<const Slot> sample);

    /// Lets codes be judged whatever there was before.
    void doubt_codes();

    /// Whether they have been found too coarse: the graph was linked by them.
    bool codes_are_coarse() const;

    /// Makes the slot a node. The first node must be alone; the next hundreds should be.
    Result<void> link(Slot slot);

    /// Looks for nodes below `slots` that no path on the bottom layer leads to, and links them
    /// anew; returns how many. Beside writer and searches; in small steps, ends early once
    /// `stopping` is set. Requires all of them to be linked.
    std::size_t repair(std::size_t slots, const std::atomic<bool>& stopping);

    /// For checkpoints: where it all lies, and where walks begin; no_slot while it is empty.
    const GraphStore& store() const;
    Slot entry() const;

    /// Makes the next slot of a graph that is read back, without vector and links. Requires room.
    Result<Slot> append_empty(int level);

    /// What of such a graph has not been read yet: the writer's alone, before anyone searches.
    GraphStore& restored_store();

    /// Ends the reading: walks begin at `entry`; lists lose those who are lost, and get their links
    /// in return. Requires that all others have a vector.
    Result<void> finish_restored(Slot entry, const std::vector<bool>& lost);

    /// The stored vector with its norm, a code of Space; valid as long as the graph.
    const float* code(Slot slot) const;

    /// The vector that was appended.
    std::span<const float> vector(Slot slot) const;

    void prefetch(Slot slot) const;

    /// The up to `ef` nearest visible slots, in no order; fewer where the `want` nearest are
    /// Settled before. `query` is a code of Space. Requires 1 <= want <= ef.
    Result<Precision> search(
        const float* query,
        std::size_t want,
        std::size_t ef,
        const Versions& versions,
        Sequence published,
        const SearchLimits& limits,
        std::vector<Found>& found
    ) const;

    /// Says with which ef to walk, by what lies around the query; 0: not at all.
    using ChooseEf = std::function<std::size_t(const Surroundings&)>;

    /// The same among the rows that pass a filter, see MatchingWalk. Finds nothing where it is not
    /// to walk.
    Result<Precision> search_matching(
        const float* query,
        const ChooseEf& choose_ef,
        const MatchingRows& rows,
        const SearchLimits& limits,
        std::vector<Found>& found
    ) const;

    /// The `want` nearest of these rows or all, by comparing with each.
    Result<Precision> compare_matching(
        const float* query,
        const MatchingRows& rows,
        std::size_t want,
        const SearchLimits& limits,
        std::vector<Found>& found
    ) const;

  private:
    class Impl;
    explicit HnswGraph(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace veer::index
