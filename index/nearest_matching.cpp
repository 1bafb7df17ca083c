#include "index/nearest_matching.hpp"

#include <algorithm>

namespace veer::index {

namespace {

/// Around a query outside of what passes, less than this part of the share that passes anywhere
/// does.
constexpr double share_around_min = 0.5;

/// How much wider a walk then has to be.
constexpr std::size_t widening = 8;

/// Rows kept by their codes, for each that is wanted, to be corrected.
constexpr std::size_t kept_per_wanted = 4;
constexpr std::size_t kept_min = 64;

}  // namespace

/// Rows that match, as far as can be told without looking at each.
double NearestMatching::expected() const {
    const auto slots = static_cast<double>(std::max<std::size_t>(rows_.view.slots, 1));
    return static_cast<double>(rows_.matches.current) * static_cast<double>(live_) / slots;
}

FilteredSearch NearestMatching::facts(std::size_t ef) const {
    const HnswGraph& graph = segment_.graph();
    return {
        .matching = expected(),
        .nodes = static_cast<double>(rows_.matches.node_count),
        .rows = static_cast<double>(live_),
        .ef = ef,
        .links = graph.links_per_node(),
        .code_lines = graph.code_lines(),
        .sign_lines = graph.sign_lines()};
}

std::size_t NearestMatching::choose_ef(std::size_t ef, const Surroundings& around) const {
    if (around.share() >= facts(ef).share() * share_around_min) {
        return ef;
    }
    return worth_walking(facts(ef * widening)) ? ef * widening : 0;
}

Result<std::vector<Slot>> NearestMatching::find(
    std::span<const float> query, std::size_t want, std::size_t ef
) const {
    if (want == 0) {
        return std::vector<Slot>{};
    }
    const float* const code = encoded(space_, query);
    std::vector<Found> found;
    const bool all = static_cast<double>(want) >= expected();
    for (; !all && worth_walking(facts(ef)); ef *= 2) {
        const auto walked = segment_.graph().search_matching(
            code,
            [&](const Surroundings& around) { return choose_ef(ef, around); },
            rows_,
            limits_,
            found
        );
        if (!walked) {
            return walked.error();
        }
        if (found.size() >= want) {
            settle(space_, segment_.graph(), code, want, *walked, found);
            return slots_of(found);
        }
        if (found.empty()) {
            break;
        }
    }
    return compare(code, want);
}

std::vector<Slot> NearestMatching::matching_slots() const {
    std::vector<Slot> slots;
    slots.reserve(rows_.matches.count);
    rows_.matches.records.each_from(0, [&](std::size_t at) {
        const auto record = static_cast<Record>(at);
        const Slot slot = rows_.view.records.slot(record);
        if (rows_.view.versions.visible(slot, rows_.published) &&
            rows_.view.records.at(slot, rows_.published) == record) {
            slots.push_back(slot);
        }
        return true;
    });
    return slots;
}

Result<std::vector<Slot>> NearestMatching::compare(const float* query, std::size_t want) const {
    const std::size_t kept = std::max(kept_min, kept_per_wanted * want);
    std::vector<Found> found;
    const auto compared = segment_.graph().compare_matching(query, rows_, kept, limits_, found);
    if (!compared) {
        return compared.error();
    }
    if (found.size() > want) {
        settle(space_, segment_.graph(), query, want, *compared, found);
    }
    return slots_of(found);
}

Result<std::vector<Slot>> NearestMatching::scan(std::span<const float> query, std::size_t want)
    const {
    Effort effort{limits_};
    const float* const code = encoded(space_, query);
    return nearest_of(space_, segment_.graph(), code, matching_slots(), want, effort);
}

}  // namespace veer::index
