#include "router/compare/golden_set.hpp"

#include "index/elements.hpp"
#include "index/source_census.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
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
        bytes += bytes_of_values(upsert->row);
    } else if (const auto* const erased = std::get_if<storage::Delete>(&change)) {
        bytes += erased->key.size();
    }
    return bytes;
}

std::size_t GoldenSet::bytes_of_values(const storage::Row& row) {
    std::size_t bytes = row.values.size() * sizeof(storage::ColumnValue);
    for (const storage::ColumnValue& value : row.values) {
        const auto* const text = std::get_if<std::string>(&value);
        bytes += text == nullptr ? 0 : text->size();
    }
    return bytes;
}

GoldenSet::GoldenSet(std::size_t capacity, Column column, Distance distance, Passes passes)
    : capacity_(capacity),
      column_(column),
      distance_(std::move(distance)),
      passes_(std::move(passes)) {}

void GoldenSet::set_index(Distance distance, Passes passes) {
    distance_ = std::move(distance);
    if (passes && passes_ && passes->types() == passes_->types()) {
        return;  // what is ready stays so
    }
    passes_ = std::move(passes);
    for (Entry& entry : entries_) {
        prepare(entry);
    }
}

void GoldenSet::prepare(Entry& entry) const {
    entry.predicate =
        entry.search.filter && passes_ ? passes_->prepare(*entry.search.filter) : std::nullopt;
}

void GoldenSet::set_capacity(std::size_t capacity) {
    capacity_ = capacity;
    if (entries_.size() > capacity) {
        entries_.resize(capacity);
    }
}

void GoldenSet::offer(Search search, std::uint64_t random, std::optional<Exact> exact) {
    if (capacity_ == 0 || search.k == 0) {
        return;
    }
    offered_ = std::min<std::uint64_t>(offered_ + 1, capacity_ * memory_of_offers);
    const bool room = entries_.size() < capacity_;
    const std::uint64_t place = room ? 0 : random % offered_;
    if (place >= capacity_) {
        return;  // as nine of ten, once it is full: without any work, and without counting it
    }
    Entry entry{.id = ++last_id_, .search = std::move(search), .tolerance = {}};
    entry.tolerance = tolerance_for(column_.metric, entry.search.vector);
    prepare(entry);
    if (exact) {
        take(entry, *std::move(exact));
    }
    if (room) {
        entries_.push_back(std::move(entry));
    } else {
        victim(entry.search.shape, place) = std::move(entry);
    }
}

/// Requires a set that is not empty.
GoldenSet::Entry& GoldenSet::victim(std::uint64_t shape, std::uint64_t random) {
    std::map<std::uint64_t, std::size_t> of_shape;
    for (const Entry& entry : entries_) {
        ++of_shape[entry.search.shape];
    }
    const auto most =
        std::max_element(of_shape.begin(), of_shape.end(), [](const auto& left, const auto& right) {
            return left.second < right.second;
        });
    const auto own = of_shape.find(shape);
    const bool has_most = own != of_shape.end() && own->second >= most->second;
    const auto& [from, count] = has_most ? *own : *most;
    std::uint64_t skipped = random % count;
    return *std::find_if(entries_.begin(), entries_.end(), [&, shape = from](const Entry& entry) {
        return entry.search.shape == shape && skipped-- == 0;
    });
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

/// Whether a row is nearer than what is known ends, and passes. Gives its distance.
GoldenSet::Place GoldenSet::place_of(const Entry& entry, const storage::Row& row, double& distance)
    const {
    if (column_.vector >= row.vectors.size()) {
        return Place::unknown;  // another table than was known
    }
    const index::ChosenVector chosen = index::chosen_vector(row, column_.vector, column_.legacy);
    const auto known = entry.known.find(row.key);
    if (chosen.unchanged) {
        if (chosen.legacy) {
            return Place::unknown;  // the other one may have become NULL
        }
        if (!entry.search.filter && known == entry.known.end()) {
            return Place::outside;
        }
        distance = known == entry.known.end() ? -1 : known->second;
    } else if (chosen.vector == nullptr) {
        return Place::outside;  // NULL is near to nothing
    } else {
        std::vector<float> memory;
        const std::span<const float> elements = index::elements_of(*chosen.vector, memory);
        if (elements.size() != entry.search.vector.size()) {
            return Place::unknown;
        }
        distance = distance_(entry.search.vector, elements);
        if (distance >= entry.complete) {
            return Place::outside;
        }
    }
    if (!entry.search.filter) {
        return std::isnan(distance) ? Place::unknown : Place::inside;
    }
    const auto passes = entry.predicate ? passes_->passes(*entry.predicate) : std::nullopt;
    if (passes && !*passes) {
        return Place::outside;
    }
    const bool far_unknown = chosen.unchanged && known == entry.known.end();
    return !passes || far_unknown || std::isnan(distance) ? Place::unknown : Place::inside;
}

/// What has been in the answer and is not any more alters it.
void GoldenSet::forget(Entry& entry, const storage::RowKey& key, storage::Lsn lsn) const {
    const auto known = entry.known.find(key);
    if (known == entry.known.end()) {
        return;
    }
    if (known->second <= border(entry)) {
        entry.altered = std::max(entry.altered, lsn);
        entry.recall.reset();
    }
    entry.known.erase(known);
    const bool all = std::isinf(entry.complete);
    entry.fresh = entry.fresh && (all || entry.known.size() >= entry.search.k);
}

void GoldenSet::follow(Entry& entry, const storage::Upsert& upsert, storage::Lsn lsn) const {
    const storage::Row& row = upsert.row;
    double distance = std::numeric_limits<double>::quiet_NaN();
    if (upsert.old_key && *upsert.old_key != row.key) {
        const bool was = entry.known.contains(*upsert.old_key);
        forget(entry, *upsert.old_key, lsn);
        const bool resolved = column_.vector < row.vectors.size() &&
                              !index::chosen_vector(row, column_.vector, column_.legacy).unchanged;
        if (was && !resolved) {
            entry.fresh = false;  // as near as it was, under a name that is not known
            return;
        }
    }
    const Place place = place_of(entry, row, distance);
    if (place == Place::unknown) {
        entry.fresh = false;
        return;
    }
    if (place == Place::outside) {
        forget(entry, row.key, lsn);
        return;
    }
    const double before = border(entry);
    const auto [known, added] = entry.known.try_emplace(row.key, distance);
    const double was = std::exchange(known->second, distance);
    const bool moved = added || !entry.tolerance.same(distance, was);
    if (moved && (was <= before || distance <= before)) {
        entry.altered = std::max(entry.altered, lsn);
        entry.recall.reset();
    }
    trim(entry);
}

/// Before any entry follows it.
void GoldenSet::begin(const Change& change) const {
    const auto* const upsert = std::get_if<storage::Upsert>(&change.what);
    if (upsert != nullptr && passes_) {
        passes_->begin(upsert->row.values);
    }
}

/// Requires that it concerns the table, and has begun.
void GoldenSet::follow(Entry& entry, const Change& change) const {
    if (!entry.fresh) {
        return;
    }
    if (const auto* const upsert = std::get_if<storage::Upsert>(&change.what)) {
        follow(entry, *upsert, change.lsn);
    } else if (const auto* const erased = std::get_if<storage::Delete>(&change.what)) {
        forget(entry, erased->key, change.lsn);
    } else {
        entry.fresh = false;
    }
}

/// Rows that come in must not take memory for ever.
void GoldenSet::trim(Entry& entry) const {
    const std::size_t wanted = exact_rows(entry.search.k);
    if (entry.known.size() <= 2 * wanted) {
        return;
    }
    std::vector<double> distances;
    distances.reserve(entry.known.size());
    for (const auto& [key, distance] : entry.known) {
        distances.push_back(distance);
    }
    const auto last = distances.begin() + static_cast<std::ptrdiff_t>(wanted);
    std::nth_element(distances.begin(), last, distances.end());
    entry.complete = *last;
    std::erase_if(entry.known, [complete = *last](const auto& row) {
        return row.second >= complete;
    });
    entry.fresh = entry.known.size() >= entry.search.k;  // else they tie, nearly all of them
}

/// Of what belongs to the answer; infinite where there are no more rows than are asked for.
double GoldenSet::border(const Entry& entry) const {
    const std::size_t k = entry.search.k;
    if (entry.known.size() < k) {
        return std::numeric_limits<double>::infinity();
    }
    std::vector<double> distances;
    distances.reserve(entry.known.size());
    for (const auto& [key, distance] : entry.known) {
        distances.push_back(distance);
    }
    const auto last = distances.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(distances.begin(), last, distances.end());
    return *last + entry.tolerance.at(*last);
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
    begin(change);
    for (Entry& entry : entries_) {
        follow(entry, change);
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

/// False where it is of no use: changes after it are not known any more, or leave too few.
bool GoldenSet::take(Entry& entry, Exact exact) {
    if (exact.as_of < known_from_ || exact.asked < entry.search.k) {
        return false;
    }
    const bool all = exact.rows.size() < exact.asked;
    entry.complete = all ? std::numeric_limits<double>::infinity() : exact.rows.back().distance;
    entry.known.clear();
    for (index::Hit& hit : exact.rows) {
        entry.known.emplace(std::move(hit.key), hit.distance);
    }
    entry.recall.reset();
    entry.altered = exact.as_of;
    entry.fresh = true;
    for (const Change& change : remembered_) {
        if (change.lsn > exact.as_of) {
            begin(change);
            follow(entry, change);
        }
    }
    ++judged_;
    return entry.fresh;
}

bool GoldenSet::judged(std::uint64_t id, Exact exact) {
    Entry* const entry = find(id);
    if (entry == nullptr) {
        return false;
    }
    entry->tried = ++turn_;
    return take(*entry, std::move(exact));
}

void GoldenSet::postpone(std::uint64_t id) {
    if (Entry* const entry = find(id)) {
        entry->tried = ++turn_;
    }
}

std::vector<GoldenSet::Due> GoldenSet::fresh(bool unmeasured_only) const {
    std::vector<const Entry*> holding;
    for (const Entry& entry : entries_) {
        if (entry.fresh && !(unmeasured_only && entry.recall)) {
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

bool GoldenSet::measured(std::uint64_t id, storage::Lsn as_of, const Rows& found) {
    const std::optional<double> recall = this->recall(id, as_of, found);
    if (recall) {
        Entry* const entry = find(id);
        entry->asked = ++turn_;
        entry->recall = recall;
    }
    return recall.has_value();
}

std::optional<double> GoldenSet::recall(std::uint64_t id, storage::Lsn as_of, const Rows& found)
    const {
    const auto entry = std::find_if(entries_.begin(), entries_.end(), [id](const Entry& one) {
        return one.id == id;
    });
    return entry != entries_.end() && entry->fresh && entry->altered <= as_of
               ? std::optional(
                     recall_of(found, entry->search.k, entry->known.size(), border(*entry))
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
