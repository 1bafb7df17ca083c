#pragma once

#include "index/link_lists.hpp"
#include "index/search_limits.hpp"
#include "index/settled.hpp"
#include "index/slot.hpp"
#include "index/visited_set.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace veer::index {

/// A slot and its distance in the walk (Space::walk or Sq8::distance).
struct Found {
    float distance = 0;
    Slot slot = no_slot;
};

struct Farther {
    bool operator()(const Found& a, const Found& b) const { return a.distance > b.distance; }
};

struct Nearer {
    bool operator()(const Found& a, const Found& b) const { return a.distance < b.distance; }
};

/// What spares a walk the codes of nodes that are sure to be too far: nothing. `expect` is told of
/// the node that is likely the next, and which of its links are then asked about.
struct NoScreen {
    static std::size_t near(std::span<Slot> slots, float /*farthest*/) { return slots.size(); }

    template <class Wanted>
    static void expect(const LinkList& /*next*/, Wanted /*wanted*/) {}
};

/// The memory of one thread's walks, kept so that a walk allocates nothing.
struct WalkMemory {
    VisitedSet visited;
    std::vector<Found> candidates;  ///< heap, nearest first
    std::vector<Found> results;     ///< heap, farthest first, at most ef
    std::vector<float> nearest;     ///< of a Settled
};

inline WalkMemory& walk_memory() {
    thread_local WalkMemory memory;
    return memory;
}

/// Adds to a heap of at most `ef`.
inline void keep(std::vector<Found>& results, std::size_t ef, Found found) {
    results.push_back(found);
    std::push_heap(results.begin(), results.end(), Nearer{});
    if (results.size() > ef) {
        std::pop_heap(results.begin(), results.end(), Nearer{});
        results.pop_back();
    }
}

/// Walks from link to link towards one query, over vectors or over codes (`Measure`: OverVectors,
/// OverCodes). Malkov & Yashunin 2016, algorithm 2.
template <class Measure>
class Walk {
  public:
    using Code = typename Measure::Code;

    Walk(const Measure& measure, const LinkLists& links, Code query)
        : measure_{measure}, links_{links}, query_{query} {}

    Found at(Slot slot) const { return {measure_.distance(query_, measure_.code(slot)), slot}; }

    /// With any ef, from one node or several. `offer` puts what a node stands for into
    /// memory.results; `ahead` is told of nodes that offer may soon be asked about; `screen`
    /// (NoScreen, SignScreen) spares the walk nodes that are too far; `settled` (Settled) ends it
    /// before ef is there. Returns early where `effort` is spent.
    template <class Ahead, class Offer, class Screen = NoScreen, class Ends = NeverSettled>
    void layer(
        std::span<const Found> starts,
        int layer,
        std::size_t ef,
        WalkMemory& memory,
        Effort& effort,
        Ahead ahead,
        Offer offer,
        const Screen& screen = {},
        const Ends& settled = {}
    ) const {
        std::vector<Found>& candidates = memory.candidates;
        const std::vector<Found>& results = memory.results;
        const std::size_t slots = measure_.slots();  // after `starts`, so they are among them
        memory.visited.begin(slots);
        memory.results.clear();
        candidates.assign(starts.begin(), starts.end());
        std::make_heap(candidates.begin(), candidates.end(), Farther{});
        for (const Found& start : starts) {
            memory.visited.insert(start.slot);
            offer(start);
        }
        Links fresh;
        while (!candidates.empty()) {
            const Found current = candidates.front();
            if ((results.size() >= ef && current.distance > results.front().distance) ||
                settled(current.distance)) {
                break;
            }
            std::pop_heap(candidates.begin(), candidates.end(), Farther{});
            candidates.pop_back();
            if (!candidates.empty()) {
                links_.at(candidates.front().slot, layer).prefetch();  // next, or soon
            }
            std::size_t count =
                unseen(links_.at(current.slot, layer), slots, memory.visited, fresh);
            if (!effort.visit(count)) {
                break;
            }
            if (results.size() >= ef) {
                count = screen.near({fresh.data(), count}, results.front().distance);
            }
            for (std::size_t i = 0; i < std::min(count, prefetched_ahead); ++i) {
                measure_.prefetch(fresh[i]);
                ahead(fresh[i]);
            }
            if (results.size() >= ef && !candidates.empty()) {
                screen.expect(links_.at(candidates.front().slot, layer), [&](Slot slot) {
                    return !memory.visited.seen(slot);
                });
            }
            for (std::size_t i = 0; i < count; ++i) {
                if (i + prefetched_ahead < count) {
                    measure_.prefetch(fresh[i + prefetched_ahead]);
                    ahead(fresh[i + prefetched_ahead]);
                }
                const Found found = at(fresh[i]);
                if (results.size() < ef || found.distance < results.front().distance) {
                    take(found, layer, candidates, offer);
                }
            }
        }
    }

  private:
    static constexpr std::size_t prefetched_ahead = 2;

    /// A node near enough to be walked on from. Where it is the nearest so far, it is the next, and
    /// its links are fetched.
    template <class Offer>
    void take(Found found, int layer, std::vector<Found>& candidates, Offer& offer) const {
        if (candidates.empty() || found.distance < candidates.front().distance) {
            links_.at(found.slot, layer).prefetch();
        }
        candidates.push_back(found);
        std::push_heap(candidates.begin(), candidates.end(), Farther{});
        offer(found);
    }

    /// The links that this walk has not seen, and marks them seen. Slots from `slots` on are too
    /// young to be of interest.
    static std::size_t unseen(
        const LinkList& list, std::size_t slots, VisitedSet& visited, Links& fresh
    ) {
        const std::size_t count = list.read(fresh);
        for (std::size_t i = 0; i < count; ++i) {
            visited.prefetch(fresh[i]);
        }
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const Slot link = fresh[i];
            if (link < slots && visited.insert(link)) {
                fresh[kept++] = link;
            }
        }
        return kept;
    }

    const Measure& measure_;
    const LinkLists& links_;
    Code query_;
};

}  // namespace veer::index
