#include "index/matches.hpp"

#include <algorithm>
#include <array>

namespace veer::index {

namespace {

/// Evaluating a block of records costs about as much as comparing so many vectors.
constexpr std::uint64_t visits_per_block = 64;

/// What texts come to between two looks at the deadline, and for one visit: a jsonb of some
/// kilobytes, of which each record has another, is read to its end.
constexpr std::size_t text_bytes_per_step = std::size_t{256} << 10U;
constexpr std::size_t text_bytes_per_visit = 512;

std::size_t bytes_of(const Matches& matches) {
    return (matches.records.words().size() + matches.nodes.words().size()) * sizeof(std::uint64_t);
}

/// Records looked at to tell how many of those that pass are superseded.
constexpr std::size_t sampled = 256;

std::size_t count_of(const Bits& bits) {
    std::size_t count = 0;
    for (const std::uint64_t word : bits.words()) {
        count += static_cast<std::size_t>(std::popcount(word));
    }
    return count;
}

/// Counts the records that pass, and estimates how many of them are current: a status that most
/// rows have left passes on ever so many superseded records and on few rows.
void count(Matches& matches, const RecordsView& view) {
    matches.count = count_of(matches.records);
    matches.node_count = count_of(matches.nodes);
    const std::size_t step = matches.count / sampled + 1;
    const std::vector<std::uint64_t>& words = matches.records.words();
    std::size_t looked_at = 0;
    std::size_t newest = 0;
    std::size_t before = 0;  // records that pass, of the words before
    std::size_t next = 0;    // to be looked at, among those that pass
    for (std::size_t word = 0; word < words.size(); ++word) {
        before += static_cast<std::size_t>(std::popcount(words[word]));
        if (before > next) {  // the first of the word will do for whichever it is
            next += step * ((before - next - 1) / step + 1);
            const auto record = static_cast<Record>(
                word * 64 + static_cast<std::size_t>(std::countr_zero(words[word]))
            );
            ++looked_at;
            newest += view.records.newest(view.records.slot(record)) == record ? 1U : 0U;
        }
    }
    matches.current = matches.count * newest / std::max<std::size_t>(looked_at, 1);
}

/// Evaluates records from `first` on, as many as the limits allow, and some in any case: whoever
/// asks often enough gets an answer. Returns how far.
std::size_t evaluate(
    Matches& matches,
    std::size_t first,
    const Predicate& predicate,
    const RecordsView& view,
    Effort& effort
) {
    std::uint64_t* const words = matches.records.words().data();
    const std::size_t text_bytes =
        view.records.memory_bytes() / std::max<std::size_t>(view.size, 1);
    const std::size_t fitting = text_bytes_per_step / std::max<std::size_t>(text_bytes, 1);
    const std::size_t step = std::clamp<std::size_t>(fitting / 64 * 64, 64, Predicate::block);
    const std::uint64_t visits =
        std::max<std::uint64_t>(visits_per_block, step * text_bytes / text_bytes_per_visit);
    while (first < view.size) {
        const std::size_t count = std::min(step, view.size - first);
        predicate.evaluate(view.records, static_cast<Record>(first), count, words + first / 64);
        first += count;
        if (!effort.visit(visits)) {
            break;
        }
    }
    return first;
}

/// Adds what the view has beyond `matches`, as far as the limits allow; says whether that is all.
bool extend(Matches& matches, const Predicate& predicate, const RecordsView& view, Effort& effort) {
    const std::size_t known = matches.records.size() / 64 * 64;  // the last word may be a part
    matches.records.resize(std::max(matches.records.size(), view.size));
    const std::size_t evaluated = evaluate(matches, known, predicate, view, effort);
    const bool all = evaluated >= view.size;
    if (!all) {
        matches.records.resize(evaluated);
    }
    matches.nodes.resize(std::max(matches.nodes.size(), view.slots));
    matches.records.each_from(known, [&](std::size_t record) {
        const Slot slot = view.records.slot(static_cast<Record>(record));
        const Slot node = view.versions.head(slot);
        matches.nodes.resize(std::max<std::size_t>(matches.nodes.size(), std::size_t{node} + 1));
        matches.nodes.set(node);
        return true;
    });
    count(matches, view);
    return all;
}

}  // namespace

Result<std::shared_ptr<const Matches>> MatchCache::get(
    const Filter& filter, const Predicate& predicate, const RecordsView& view, Effort& effort
) {
    const std::shared_ptr<const Matches> known = find(filter);
    if (known && known->records.size() >= view.size && known->nodes.size() >= view.slots) {
        return known;
    }
    auto matches = known ? std::make_shared<Matches>(*known) : std::make_shared<Matches>();
    const bool all = extend(*matches, predicate, view, effort);
    keep(filter, matches);  // the next search goes on from there
    if (!all) {
        return make_error_code(effort.reason().value_or(Errc::too_many_visits));
    }
    return std::shared_ptr<const Matches>{std::move(matches)};
}

std::shared_ptr<const Matches> MatchCache::find(const Filter& filter) {
    const std::lock_guard lock{mutex_};
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.filter == filter;
    });
    if (found == entries_.end()) {
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found);
    return found->matches;
}

void MatchCache::keep(const Filter& filter, std::shared_ptr<const Matches> matches) {
    std::vector<std::shared_ptr<const Matches>> dropped;  // dies outside the lock
    const std::lock_guard lock{mutex_};
    const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.filter == filter;
    });
    if (same != entries_.end()) {
        if (same->matches->records.size() > matches->records.size()) {
            return;  // another thread saw more
        }
        dropped.push_back(std::move(same->matches));
        entries_.erase(same);
    }
    entries_.push_front({filter, std::move(matches)});
    std::size_t bytes = 0;
    std::size_t filters = 0;
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        bytes += bytes_of(*entry->matches);
        if (++filters > filters_max || (bytes > bytes_max && filters > 1)) {
            dropped.push_back(std::move(entry->matches));
            entry = entries_.erase(entry);
        } else {
            ++entry;
        }
    }
}

}  // namespace veer::index
