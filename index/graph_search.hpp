#pragma once

#include "index/error.hpp"
#include "index/graph_store.hpp"
#include "index/hnsw_graph.hpp"
#include "index/walk.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace veer::index {

/// Searches of one graph as it is now, over its codes or, where it has none, its vectors.
///
///     entry ─▶ the nearest `starts` on each upper layer ─▶ bottom layer ─▶ found
///
/// Invariants:
/// 1. Reads only; beside the writer. What it needs of memory each thread keeps.
/// 2. With codes the distances found are approximate (Precision), and their order as well.
class GraphSearch {
  public:
    struct Entry {
        Slot slot = no_slot;
        int level = 0;
    };

    /// `screens`: to rule nodes out by their signs, where there are codes.
    GraphSearch(const GraphStore& store, Entry entry, bool screens)
        : store_{store}, entry_{entry}, screens_{screens} {}

    /// See HnswGraph::search().
    Result<Precision> walk(
        const float* query,
        std::size_t want,
        std::size_t ef,
        const Versions& versions,
        Sequence published,
        const SearchLimits& limits,
        std::vector<Found>& found
    ) const;

    /// See HnswGraph::search_matching().
    Result<Precision> walk_matching(
        const float* query,
        const HnswGraph::ChooseEf& choose_ef,
        const MatchingRows& rows,
        const SearchLimits& limits,
        std::vector<Found>& found
    ) const;

    /// See HnswGraph::compare_matching().
    Result<Precision> compare_matching(
        const float* query,
        const MatchingRows& rows,
        std::size_t want,
        const SearchLimits& limits,
        std::vector<Found>& found
    ) const;

    /// Nodes of each upper layer from which the next is walked, by insertions too: what is linked
    /// has to be where searches come. One leads into one cluster, and where clusters are far apart
    /// no ef leads out of it again (README).
    static constexpr std::size_t starts_least = 16;

  private:
    static constexpr std::size_t starts_max = 32;

    /// Who asks for a wider walk asks for more clusters, too.
    static std::size_t starts_of(std::size_t ef) {
        return std::clamp(ef / 10, starts_least, starts_max);
    }

    template <class Measure>
    std::span<const Found> find_starts(
        const Walk<Measure>& walk, std::span<Found> starts, WalkMemory& memory, Effort& effort
    ) const;

    template <class OverCodesOrVectors>
    Result<Precision> over_codes_or_vectors(
        const float* query,
        const SearchLimits& limits,
        std::vector<Found>& found,
        OverCodesOrVectors search
    ) const;

    template <class Measure, class Screen>
    void search_over(
        const Measure& measure,
        const Screen& screen,
        typename Measure::Code query,
        std::size_t want,
        std::size_t ef,
        const Versions& versions,
        Sequence published,
        Effort& effort
    ) const;

    const GraphStore& store_;
    Entry entry_;
    bool screens_;
};

}  // namespace veer::index
