#include "index/nearest_matching.hpp"

#include <algorithm>

namespace veer::index {

namespace {

/// A walk over matching nodes costs about as much as comparing with so many rows for each of ef
/// (measured at 768 dimensions; the comparison is exact as well).
constexpr std::size_t rows_walked_per_ef = 36;

/// Matching nodes behind two links below which a walk loses its way: with 30 it found 97 of 100
/// nearest rows, with 10 two thirds, with 100 all but one.
constexpr double matching_reached_min = 50;

}  // namespace

/// Rows that match, as far as can be told without looking at each.
double NearestMatching::expected() const {
    const auto records = static_cast<double>(std::max<std::size_t>(rows_.view.size, 1));
    return static_cast<double>(rows_.matches.count) * static_cast<double>(live_) / records;
}

bool NearestMatching::worth_walking(std::size_t ef) const {
    const auto links = static_cast<double>(segment_.graph().links_per_node());
    const double share = expected() / static_cast<double>(std::max<std::size_t>(live_, 1));
    return expected() > static_cast<double>(ef * rows_walked_per_ef) &&
           share * links * links > matching_reached_min;
}

Result<std::vector<Slot>> NearestMatching::find(
    std::span<const float> query, std::size_t want, std::size_t ef
) const {
    if (want == 0) {
        return std::vector<Slot>{};
    }
    const float* const code = encoded(space_, query);
    std::vector<Found> found;
    for (; worth_walking(ef); ef *= 2) {
        const auto walked = segment_.graph().search_matching(code, ef, rows_, limits_, found);
        if (!walked) {
            return walked.error();
        }
        if (found.size() >= want) {
            settle(space_, segment_.graph(), code, want, *walked, found);
            return slots_of(found);
        }
    }
    return scan(query, want);
}

Result<std::vector<Slot>> NearestMatching::scan(std::span<const float> query, std::size_t want)
    const {
    Effort effort{limits_};
    const float* const code = encoded(space_, query);
    std::vector<Slot> slots;
    rows_.matches.records.each_from(0, [&](std::size_t at) {
        const auto record = static_cast<Record>(at);
        const Slot slot = rows_.view.records.slot(record);
        if (rows_.view.versions.visible(slot, rows_.published) &&
            rows_.view.records.at(slot, rows_.published) == record) {
            slots.push_back(slot);
        }
        return true;
    });
    return nearest_of(space_, segment_.graph(), code, slots, want, effort);
}

}  // namespace veer::index
