#pragma once

#include "index/matches.hpp"
#include "index/walk.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <vector>

namespace veer::index {

/// Which rows a filtered search is for.
struct MatchingRows {
    const RecordsView& view;
    const Matches& matches;
    Sequence published;

    /// Whether the slot's row is visible and passes.
    bool contains(Slot slot) const {
        return view.versions.visible(slot, published) &&
               matches.records.test(view.records.at(slot, published));
    }
};

/// What the nodes are like that a walk would begin among: how many of those behind their links
/// match.
struct Surroundings {
    std::size_t nodes = 0;
    std::size_t matching = 0;

    double share() const {
        return static_cast<double>(matching) / static_cast<double>(std::max<std::size_t>(nodes, 1));
    }
};

/// Walks the bottom layer over nodes that stand for matching rows only, as if those of the others
/// were not there but as bridges (Patel et al. 2024, ACORN-1):
///
///     current ──▶ matching                      compared with the query
///             ──▶ other ──▶ matching            compared, too: two hops count as one
///                       ──▶ other
///
/// Others are passed through until a node has as many matching neighbours as links. None of them is
/// compared, so a search costs what it would in a graph of the matching rows alone.
///
/// Where matching rows lie far from the query, or in islands, the links lead to none or to some:
/// unless many of those around match, the walk also starts from the nearest of a sample of matching
/// nodes.
template <class Measure, class Screen>
class MatchingWalk {
  public:
    using Code = typename Measure::Code;

    MatchingWalk(
        const Measure& measure,
        const Screen& screen,
        const LinkLists& links,
        Code query,
        const MatchingRows& rows
    )
        : measure_{measure}, screen_{screen}, links_{links}, query_{query}, rows_{rows} {}

    /// No walk: leaves the `want` nearest of all rows in memory.results, in the order of nodes.
    /// Returns early where `effort` is spent.
    void compare(std::size_t want, WalkMemory& memory, Effort& effort) const {
        memory.results.clear();
        const std::size_t slots = std::min(rows_.matches.nodes.size(), measure_.slots());
        std::vector<Slot>& some = fresh_memory();
        some.clear();
        const auto compare_some = [&] {
            const bool going_on = effort.visit(some.size());
            compare_each(some, want, memory);
            some.clear();
            return going_on;
        };
        rows_.matches.nodes.each_from(0, [&](std::size_t node) {
            if (node >= slots) {
                return false;
            }
            some.push_back(static_cast<Slot>(node));
            return some.size() < compared_at_once || compare_some();
        });
        (void)compare_some();
    }

    /// Looks one link around the starts, comparing nothing.
    Surroundings look(std::span<const Found> starts) const {
        Surroundings seen;
        Links links;
        for (const Found& start : starts) {
            const std::size_t count = links_.at(start.slot, 0).read(links);
            seen.nodes += count;
            for (const Slot link : std::span{links.data(), count}) {
                seen.matching += matches(link) ? 1U : 0U;
            }
        }
        return seen;
    }

    /// Leaves up to `ef` rows in memory.results; `around` is what look() saw. Returns early where
    /// `effort` is spent.
    void run(
        std::span<const Found> starts,
        Surroundings around,
        std::size_t ef,
        WalkMemory& memory,
        Effort& effort
    ) const {
        std::vector<Found>& candidates = memory.candidates;
        const std::vector<Found>& results = memory.results;
        begin(starts, around.share() < share_connected ? sample_max(ef) : 0, ef, memory, effort);
        std::vector<Slot>& fresh = fresh_memory();
        while (!candidates.empty() && !effort.reason()) {
            const Found current = candidates.front();
            if (results.size() >= ef && current.distance > results.front().distance) {
                break;
            }
            std::pop_heap(candidates.begin(), candidates.end(), Farther{});
            candidates.pop_back();
            if (!candidates.empty()) {
                links_.at(candidates.front().slot, 0).prefetch();  // next, or soon
            }
            gather(current.slot, memory.visited, effort, fresh);
            if (results.size() >= ef) {
                fresh.resize(screen_.near(fresh, results.front().distance));
            }
            for (std::size_t i = 0; i < std::min(fresh.size(), prefetched_ahead); ++i) {
                measure_.prefetch(fresh[i]);
            }
            if (results.size() >= ef && !candidates.empty()) {
                screen_.expect(links_.at(candidates.front().slot, 0), [&](Slot slot) {
                    return slot < rows_.matches.nodes.size() && matches(slot) &&
                           !memory.visited.seen(slot);
                });
            }
            for (std::size_t i = 0; i < fresh.size(); ++i) {
                if (i + prefetched_ahead < fresh.size()) {
                    measure_.prefetch(fresh[i + prefetched_ahead]);
                }
                const Found found = at(fresh[i]);
                if (results.size() < ef || found.distance < results.front().distance) {
                    push(candidates, found);
                    offer(found, ef, memory);
                }
            }
        }
    }

  private:
    static constexpr std::size_t prefetched_ahead = 4;
    static constexpr std::size_t bridges_ahead = 4;
    static constexpr std::size_t compared_at_once = 512;

    /// From so many matching neighbours on, links lead from any matching node to the others.
    static constexpr double share_connected = 0.25;

    /// The wider the walk, the more places it begins at.
    static std::size_t sample_max(std::size_t ef) { return std::max<std::size_t>(64, 2 * ef); }

    static std::size_t sampled_starts(std::size_t ef) { return std::max<std::size_t>(8, ef / 8); }

    /// Passing through a node costs a fraction of comparing with it.
    static constexpr std::size_t bridges_per_visit = 4;

    static std::vector<Slot>& fresh_memory() {
        thread_local std::vector<Slot> fresh;
        return fresh;
    }

    Found at(Slot slot) const { return {measure_.distance(query_, measure_.code(slot)), slot}; }

    static void push(std::vector<Found>& candidates, Found found) {
        candidates.push_back(found);
        std::push_heap(candidates.begin(), candidates.end(), Farther{});
    }

    void compare_each(std::vector<Slot>& nodes, std::size_t want, WalkMemory& memory) const {
        const std::vector<Found>& results = memory.results;
        if (results.size() >= want) {
            nodes.resize(screen_.near(nodes, results.front().distance));
        }
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (i + prefetched_ahead < nodes.size()) {
                measure_.prefetch(nodes[i + prefetched_ahead]);
            }
            const Found found = at(nodes[i]);
            if (results.size() < want || found.distance < results.front().distance) {
                offer(found, want, memory);
            }
        }
    }

    bool matches(Slot node) const { return rows_.matches.nodes.test(node); }

    void begin(
        std::span<const Found> starts,
        std::size_t sampled,
        std::size_t ef,
        WalkMemory& memory,
        Effort& effort
    ) const {
        memory.visited.begin(measure_.slots());
        memory.results.clear();
        memory.candidates.clear();
        std::vector<Found> from = sample(sampled);
        (void)effort.visit(from.size());
        const std::size_t kept = std::min(from.size(), sampled_starts(ef));
        std::partial_sort(
            from.begin(), from.begin() + static_cast<std::ptrdiff_t>(kept), from.end(), Nearer{}
        );
        from.resize(kept);
        from.insert(from.end(), starts.begin(), starts.end());
        for (const Found& start : from) {
            if (memory.visited.insert(start.slot)) {
                push(memory.candidates, start);
                offer(start, ef, memory);
            }
        }
    }

    /// Matching nodes from all parts of the slots.
    std::vector<Found> sample(std::size_t most) const {
        if (most == 0) {
            return {};
        }
        const Bits& nodes = rows_.matches.nodes;
        const std::size_t slots = std::min(nodes.size(), measure_.slots());
        std::vector<Found> found;
        std::size_t next = 0;
        const std::size_t step = std::max<std::size_t>(slots / most / 64 * 64, 64);
        for (std::size_t from = 0; from < slots; from = std::max(next, from + step)) {
            bool any = false;
            nodes.each_from(from, [&](std::size_t node) {
                any = node < slots;
                next = node / 64 * 64 + 64;
                if (any) {
                    found.push_back(at(static_cast<Slot>(node)));
                }
                return false;
            });
            if (!any) {
                break;
            }
        }
        return found;
    }

    /// The matching nodes within two links that this walk has not seen, as many as there is room
    /// for in one list, or some more.
    void gather(Slot from, VisitedSet& visited, Effort& effort, std::vector<Slot>& fresh) const {
        fresh.clear();
        Links links;
        Links bridges;
        const std::size_t slots = std::min(rows_.matches.nodes.size(), measure_.slots());
        const LinkList list = links_.at(from, 0);
        const std::size_t count = known(links, list.read(links), slots);
        std::copy_n(links.begin(), count, bridges.begin());
        std::size_t matching = those(true, links, count);
        const std::size_t bridge_count = those(false, bridges, count);
        add_new({links.data(), matching}, visited, fresh);
        for (std::size_t i = 0; i < std::min(bridge_count, bridges_ahead); ++i) {
            links_.at(bridges[i], 0).prefetch();
        }
        std::size_t crossed = 0;
        for (; crossed < bridge_count && matching < list.room() / 2; ++crossed) {
            if (crossed + bridges_ahead < bridge_count) {
                links_.at(bridges[crossed + bridges_ahead], 0).prefetch();
            }
            if (visited.insert(bridges[crossed])) {
                const LinkList beyond = links_.at(bridges[crossed], 0);
                const std::size_t behind = known(links, beyond.read(links), slots);
                matching += add_new({links.data(), those(true, links, behind)}, visited, fresh);
            }
        }
        (void)effort.visit(fresh.size() + crossed / bridges_per_visit);
    }

    // Without branches: which nodes match is what no processor foresees.

    /// Puts those below `slots` first, in their order; how many they are.
    static std::size_t known(Links& nodes, std::size_t count, std::size_t slots) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const Slot node = nodes[i];
            nodes[kept] = node;
            kept += node < slots ? 1U : 0U;
        }
        return kept;
    }

    /// Puts those first that match, or that do not, in their order; how many they are.
    std::size_t those(bool matching, Links& nodes, std::size_t count) const {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const Slot node = nodes[i];
            nodes[kept] = node;
            kept += matches(node) == matching ? 1U : 0U;
        }
        return kept;
    }

    /// How many of them the walk had not seen.
    static std::size_t add_new(
        std::span<const Slot> nodes, VisitedSet& visited, std::vector<Slot>& fresh
    ) {
        const std::size_t before = fresh.size();
        std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(fresh), [&](Slot node) {
            return visited.insert(node);
        });
        return fresh.size() - before;
    }

    /// Keeps the rows that a node stands for.
    void offer(Found node, std::size_t ef, WalkMemory& memory) const {
        if (!matches(node.slot)) {
            return;
        }
        for (Slot slot = node.slot; slot != no_slot; slot = rows_.view.versions.next(slot)) {
            if (rows_.contains(slot)) {
                keep(memory.results, ef, {node.distance, slot});
            }
            if (memory.results.size() >= ef && memory.results.front().distance <= node.distance) {
                return;  // the rest of the chain is no nearer
            }
        }
    }

    const Measure& measure_;
    const Screen& screen_;
    const LinkLists& links_;
    Code query_;
    const MatchingRows& rows_;
};

}  // namespace veer::index
