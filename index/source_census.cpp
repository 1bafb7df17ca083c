#include "index/source_census.hpp"

#include <algorithm>
#include <functional>

namespace veer::index {

ChosenVector chosen_vector(
    const storage::Row& row, std::size_t vector, std::optional<std::size_t> legacy
) {
    const auto choose =
        [&row](std::size_t position, bool of_legacy) -> std::optional<ChosenVector> {
        if (position >= row.vectors.size() ||
            std::holds_alternative<storage::NullVector>(row.vectors[position])) {
            return std::nullopt;
        }
        const storage::VectorValue& value = row.vectors[position];
        const bool unchanged = std::holds_alternative<storage::UnchangedVector>(value);
        const storage::Vector* const found = storage::vector_in(value);
        return ChosenVector{
            .vector = found,
            .unparsable = found == nullptr && !unchanged,
            .legacy = of_legacy,
            .unchanged = unchanged};
    };
    std::optional<ChosenVector> chosen = choose(vector, false);
    if (!chosen.has_value() && legacy.has_value()) {
        chosen = choose(*legacy, true);
    }
    return chosen.value_or(ChosenVector{});
}

void SourceCensus::put(const storage::RowKey& key, const ChosenVector& chosen) {
    const std::lock_guard lock{mutex_};
    erase_locked(key);
    arrivals_ += chosen.unparsable ? 1U : 0U;
    if (chosen.unparsable && unparsable_.size() < unparsable_max) {
        unparsable_.emplace(key, chosen.legacy);
        unparsable_legacy_ += chosen.legacy ? 1U : 0U;
    } else if (chosen.unparsable) {
        overflown_ = true;
    } else if (chosen.legacy) {
        legacy_.insert(std::hash<storage::RowKey>{}(key));
    }
}

void SourceCensus::erase(const storage::RowKey& key) {
    const std::lock_guard lock{mutex_};
    erase_locked(key);
}

void SourceCensus::erase_locked(const storage::RowKey& key) {
    legacy_.erase(std::hash<storage::RowKey>{}(key));
    const auto known = overflown_ ? unparsable_.end() : unparsable_.find(key);
    if (known != unparsable_.end()) {
        unparsable_legacy_ -= known->second ? 1U : 0U;
        unparsable_.erase(known);
        leaving_ = true;
    }
}

void SourceCensus::clear() {
    const std::lock_guard lock{mutex_};
    leaving_ = leaving_ || !unparsable_.empty();
    legacy_.clear();
    unparsable_.clear();
    unparsable_legacy_ = 0;
    overflown_ = false;
}

void SourceCensus::publish() {
    const std::lock_guard lock{mutex_};
    leaving_ = false;
}

SourceCensus::Counts SourceCensus::counts() const {
    const std::lock_guard lock{mutex_};
    return {
        .unparsable = unparsable_.size(),
        .unparsable_legacy = unparsable_legacy_,
        .legacy = legacy_.size()};
}

bool SourceCensus::all_parse() const {
    const std::lock_guard lock{mutex_};
    return unparsable_.empty() && !leaving_;
}

std::uint64_t SourceCensus::arrivals() const {
    const std::lock_guard lock{mutex_};
    return arrivals_;
}

double migrated_percent(const SourceCensus::Counts& counts, std::uint64_t indexed) {
    const double either = static_cast<double>(indexed + counts.unparsable);
    const double legacy = static_cast<double>(counts.legacy + counts.unparsable_legacy);
    return either == 0 ? 100 : std::clamp(100 * (either - legacy) / either, 0.0, 100.0);
}

}  // namespace veer::index
