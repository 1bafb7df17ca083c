#include "index/graph_search.hpp"

#include "index/matching_walk.hpp"
#include "index/sign_screen.hpp"
#include "index/versions.hpp"

#include <algorithm>

namespace veer::index {

/// From the top layer down to the nodes from which the bottom layer is walked, as many as have
/// room. Each layer is walked from what the one above has found.
template <class Measure>
std::span<const Found> GraphSearch::find_starts(
    const Walk<Measure>& walk, std::span<Found> starts, WalkMemory& memory, Effort& effort
) const {
    starts.front() = walk.at(entry_.slot);
    std::size_t count = 1;
    for (int layer = entry_.level; layer > 0; --layer) {
        walk.layer(
            starts.first(count),
            layer,
            starts.size(),
            memory,
            effort,
            [](Slot) {},
            [&](Found found) { keep(memory.results, starts.size(), found); }
        );
        count = memory.results.size();
        std::copy(memory.results.begin(), memory.results.end(), starts.begin());
    }
    return starts.first(count);
}

template <class Measure, class Screen>
void GraphSearch::search_over(
    const Measure& measure,
    const Screen& screen,
    typename Measure::Code query,
    std::size_t want,
    std::size_t ef,
    const Versions& versions,
    Sequence published,
    Effort& effort
) const {
    const Walk<Measure> walk{measure, store_.links(), query};
    WalkMemory& memory = walk_memory();
    std::array<Found, starts_max> room;
    const std::span starts =
        find_starts(walk, std::span{room}.first(starts_of(ef)), memory, effort);
    Settled settled{store_.space().metric(), want, memory.nearest};
    walk.layer(
        starts,
        0,
        ef,
        memory,
        effort,
        [&](Slot slot) { versions.prefetch(slot); },
        [&](Found node) {
            for (Slot slot = node.slot; slot != no_slot; slot = versions.next(slot)) {
                if (versions.visible(slot, published)) {
                    settled.found(node.distance);
                    keep(memory.results, ef, {node.distance, slot});
                }
                if (memory.results.size() >= ef &&
                    memory.results.front().distance <= node.distance) {
                    return;  // the rest of the chain is no nearer
                }
            }
        },
        screen,
        settled
    );
}

template <class OverCodesOrVectors>
Result<Precision> GraphSearch::over_codes_or_vectors(
    const float* query,
    const SearchLimits& limits,
    std::vector<Found>& found,
    OverCodesOrVectors search
) const {
    found.clear();
    if (entry_.slot == no_slot) {
        return Precision::exact;
    }
    Effort effort{limits};
    const Sq8* const sq8 = store_.walked();
    if (sq8 != nullptr) {
        thread_local std::vector<std::int8_t> code;
        code.resize(Sq8::code_bytes(store_.space().dimensions()));
        sq8->encode(query, code.data());
        const std::int8_t* const encoded = code.data();
        if (screens_) {
            thread_local SignCodes::Query signs;
            store_.sign_codes()->prepare(query, encoded, signs);
            search(OverCodes{store_}, SignScreen{store_, signs}, encoded, effort);
        } else {
            search(OverCodes{store_}, NoScreen{}, encoded, effort);
        }
    } else {
        search(OverVectors{store_}, NoScreen{}, query, effort);
    }
    if (effort.reason()) {
        return make_error_code(*effort.reason());
    }
    found = walk_memory().results;
    return sq8 != nullptr ? Precision::approximate : Precision::exact;
}

Result<Precision> GraphSearch::walk(
    const float* query,
    std::size_t want,
    std::size_t ef,
    const Versions& versions,
    Sequence published,
    const SearchLimits& limits,
    std::vector<Found>& found
) const {
    return over_codes_or_vectors(
        query,
        limits,
        found,
        [&](const auto& measure, const auto& screen, auto code, Effort& effort) {
            search_over(measure, screen, code, want, ef, versions, published, effort);
        }
    );
}

Result<Precision> GraphSearch::walk_matching(
    const float* query,
    const HnswGraph::ChooseEf& choose_ef,
    const MatchingRows& rows,
    const SearchLimits& limits,
    std::vector<Found>& found
) const {
    return over_codes_or_vectors(
        query,
        limits,
        found,
        [&](const auto& measure, const auto& screen, auto code, Effort& effort) {
            WalkMemory& memory = walk_memory();
            const Walk walk{measure, store_.links(), code};
            std::array<Found, starts_least> room;
            const std::span starts = find_starts(walk, std::span{room}, memory, effort);
            const MatchingWalk matching{measure, screen, store_.links(), code, rows};
            const Surroundings around = matching.look(starts);
            const std::size_t ef = choose_ef(around);
            memory.results.clear();
            if (ef > 0) {
                matching.run(starts, around, ef, memory, effort);
            }
        }
    );
}

Result<Precision> GraphSearch::compare_matching(
    const float* query,
    const MatchingRows& rows,
    std::size_t want,
    const SearchLimits& limits,
    std::vector<Found>& found
) const {
    return over_codes_or_vectors(
        query,
        limits,
        found,
        [&](const auto& measure, const auto& screen, auto code, Effort& effort) {
            MatchingWalk{measure, screen, store_.links(), code, rows}.compare(
                want, walk_memory(), effort
            );
        }
    );
}

}  // namespace veer::index
