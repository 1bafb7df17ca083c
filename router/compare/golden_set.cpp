#include "router/compare/golden_set.hpp"

#include "index/elements.hpp"
#include "index/source_census.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace veer::router::compare {

namespace {

/// So that what is searched for today gets in, however much was searched for before.
constexpr std::uint64_t memory_of_offers = 10;
constexpr double standard_errors = 3;

double recall_of(const Rows& found, std::size_t k, std::size_t rows, double border) {
    const std::size_t wanted = std::min(k, rows);
    if (wanted == 0) {
        return 1;
    }
    std::unordered_set<std::string_view> keys;
    for (const index::Hit& hit : found) {
        if (hit.distance <= border) {
            keys.insert(hit.key);
        }
    }
    return std::min(1.0, static_cast<double>(keys.size()) / static_cast<double>(wanted));
}

}  // namespace

std::size_t GoldenSet::bytes_of(const storage::Change& change) {
    std::size_t bytes = sizeof(Change);
    if (const auto* const upsert = std::get_if<storage::Upsert>(&change)) {
        bytes += upsert->row.key.size() + upsert->old_key.value_or("").size();
        for (const storage::VectorValue& value : upsert->row.vectors) {
            const storage::Vector* const vector = storage::vector_in(value);
            std::vector<float> memory;
            bytes += vector == nullptr ? 0 : index::elements_of(*vector, memory).size_bytes();
        }
    } else if (const auto* const erased = std::get_if<storage::Delete>(&change)) {
        bytes += erased->key.size();
    }
    return bytes;
}

GoldenSet::GoldenSet(std::size_t capacity, Column column, Distance distance)
    : capacity_(capacity), column_(column), distance_(std::move(distance)) {}

void GoldenSet::set_capacity(std::size_t capacity) {
    capacity_ = capacity;
    if (entries_.size() > capacity) {
        entries_.resize(capacity);
    }
}

void GoldenSet::offer(Search search, std::uint64_t random) {
    if (capacity_ == 0 || search.k == 0) {
        return;
    }
    offered_ = std::min<std::uint64_t>(offered_ + 1, capacity_ * memory_of_offers);
    Entry entry{.id = ++last_id_, .search = std::move(search), .tolerance = {}};
    entry.tolerance = tolerance_for(column_.metric, entry.search.vector);
    if (entries_.size() < capacity_) {
        entries_.push_back(std::move(entry));
    } else if (const std::uint64_t place = random % offered_; place < capacity_) {
        entries_[place] = std::move(entry);
    }
}

bool GoldenSet::concerns(const storage::Change& change) const {
    if (const auto* const upsert = std::get_if<storage::Upsert>(&change)) {
        return upsert->table == column_.table;
    }
    if (const auto* const erased = std::get_if<storage::Delete>(&change)) {
        return erased->table == column_.table;
    }
    const auto& tables = std::get<storage::Truncate>(change).tables;
    return std::find(tables.begin(), tables.end(), column_.table) != tables.end();
}

/// Requires that it concerns the table.
bool GoldenSet::alters(const storage::Change& change, const Entry& entry) const {
    const auto* const upsert = std::get_if<storage::Upsert>(&change);
    if (upsert == nullptr) {
        const auto* const erased = std::get_if<storage::Delete>(&change);
        return erased == nullptr || entry.rows_found.contains(erased->key);
    }
    if (upsert->old_key && entry.rows_found.contains(*upsert->old_key)) {
        return true;
    }
    if (column_.vector >= upsert->row.vectors.size()) {
        return true;  // another table than was known
    }
    const index::ChosenVector chosen =
        index::chosen_vector(upsert->row, column_.vector, column_.legacy);
    const bool filtered = entry.search.filter.has_value();
    if (chosen.unchanged) {
        return filtered || chosen.legacy;  // then the other one may have become NULL
    }
    const auto found = entry.rows_found.find(upsert->row.key);
    const bool inside = found != entry.rows_found.end();
    if (chosen.vector == nullptr) {
        return inside;  // NULL is near to nothing
    }
    std::vector<float> memory;
    const std::span<const float> elements = index::elements_of(*chosen.vector, memory);
    if (elements.size() != entry.search.vector.size()) {
        return true;
    }
    const double distance = distance_(entry.search.vector, elements);
    // What is not a number may not keep an answer fresh.
    return inside ? filtered || !entry.tolerance.same(distance, found->second)
                  : !(distance > entry.border);
}

void GoldenSet::remember(const Change& change) {
    bytes_ += bytes_of(change.what);
    remembered_.push_back(change);
    while (remembered_.size() > remembered_max || bytes_ > remembered_bytes_max) {
        bytes_ -= bytes_of(remembered_.front().what);
        known_from_ = std::max(known_from_, remembered_.front().lsn);
        remembered_.pop_front();
    }
}

void GoldenSet::note(const Change& change) {
    if (entries_.empty()) {
        known_from_ = std::max(known_from_, change.lsn);
        return;
    }
    if (!concerns(change.what)) {
        return;
    }
    remember(change);
    for (Entry& entry : entries_) {
        entry.fresh = entry.fresh && !alters(change.what, entry);
    }
}

void GoldenSet::lose(storage::Lsn upto) {
    known_from_ = std::max(known_from_, upto);
    remembered_.clear();
    bytes_ = 0;
    for (Entry& entry : entries_) {
        entry.fresh = false;
    }
}

std::vector<GoldenSet::Search> GoldenSet::searches(std::size_t count) const {
    std::vector<Search> some;
    for (std::size_t i = 0; i < std::min(count, entries_.size()); ++i) {
        some.push_back(entries_[i].search);
    }
    return some;
}

std::optional<GoldenSet::Due> GoldenSet::next_stale() const {
    const Entry* oldest = nullptr;
    for (const Entry& entry : entries_) {
        if (!entry.fresh && (oldest == nullptr || entry.tried < oldest->tried)) {
            oldest = &entry;
        }
    }
    return oldest == nullptr ? std::nullopt
                             : std::optional(Due{.id = oldest->id, .search = oldest->search});
}

GoldenSet::Entry* GoldenSet::find(std::uint64_t id) {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [id](const Entry& each) {
        return each.id == id;
    });
    return found == entries_.end() ? nullptr : &*found;
}

bool GoldenSet::judged(std::uint64_t id, storage::Lsn as_of, Rows exact) {
    Entry* const entry = find(id);
    if (entry == nullptr) {
        return false;
    }
    entry->tried = ++turn_;
    if (as_of < known_from_) {
        return false;
    }
    const std::size_t k = entry->search.k;
    exact.resize(std::min(exact.size(), k));
    entry->border = std::numeric_limits<double>::infinity();
    if (exact.size() == k) {
        const double last = exact.back().distance;
        entry->border = last + entry->tolerance.at(last);
    }
    entry->rows_found.clear();
    for (index::Hit& hit : exact) {
        entry->rows_found.emplace(std::move(hit.key), hit.distance);
    }
    entry->recall.reset();
    entry->fresh = std::none_of(remembered_.begin(), remembered_.end(), [&](const Change& change) {
        return change.lsn > as_of && alters(change.what, *entry);
    });
    ++judged_;
    return entry->fresh;
}

void GoldenSet::postpone(std::uint64_t id) {
    if (Entry* const entry = find(id)) {
        entry->tried = ++turn_;
    }
}

std::vector<GoldenSet::Due> GoldenSet::fresh() const {
    std::vector<const Entry*> holding;
    for (const Entry& entry : entries_) {
        if (entry.fresh) {
            holding.push_back(&entry);
        }
    }
    std::stable_sort(holding.begin(), holding.end(), [](const Entry* left, const Entry* right) {
        return left->asked < right->asked;
    });
    std::vector<Due> due;
    due.reserve(holding.size());
    for (const Entry* const entry : holding) {
        due.push_back({.id = entry->id, .search = entry->search});
    }
    return due;
}

bool GoldenSet::measured(std::uint64_t id, const Rows& found) {
    const std::optional<double> recall = this->recall(id, found);
    if (recall) {
        Entry* const entry = find(id);
        entry->asked = ++turn_;
        entry->recall = recall;
    }
    return recall.has_value();
}

std::optional<double> GoldenSet::recall(std::uint64_t id, const Rows& found) const {
    const auto entry = std::find_if(entries_.begin(), entries_.end(), [id](const Entry& one) {
        return one.id == id;
    });
    return entry != entries_.end() && entry->fresh
               ? std::optional(
                     recall_of(found, entry->search.k, entry->rows_found.size(), entry->border)
                 )
               : std::nullopt;
}

GoldenSummary GoldenSet::summary() const {
    GoldenSummary made{.searches = entries_.size(), .judged = judged_};
    double sum = 0;
    double squares = 0;
    for (const Entry& entry : entries_) {
        made.fresh += entry.fresh ? 1 : 0;
        if (entry.fresh && entry.recall) {
            ++made.measured;
            sum += *entry.recall;
            squares += *entry.recall * *entry.recall;
        }
    }
    if (made.measured == 0) {
        return made;
    }
    const auto count = static_cast<double>(made.measured);
    made.recall = sum / count;
    const double variance = std::max(0.0, squares / count - made.recall * made.recall);
    made.recall_at_most =
        std::min(1.0, made.recall + standard_errors * std::sqrt(variance / count));
    return made;
}

}  // namespace veer::router::compare
