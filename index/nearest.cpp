#include "index/nearest.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>

namespace veer::index {

namespace {

/// A walk compares the query with about so many rows for each of ef; with fewer than that in the
/// index, comparing with all is as fast and exact.
constexpr std::size_t rows_walked_per_ef = 8;

/// Rows that are always corrected beyond those wanted, to see how wrong codes are here.
constexpr std::size_t corrected_beyond = 6;

/// pgvector sorts NaN last; a comparison without that is no order at all.
double sortable(double distance) {
    return std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
}

/// The query's code, aligned as the stored ones are, in memory that each thread keeps.
const float* encoded(const Space& space, std::span<const float> query) {
    constexpr std::size_t line_floats = 16;
    thread_local std::vector<float> memory;
    const std::size_t floats = Space::code_floats(query);
    memory.resize(floats + line_floats);
    void* begin = memory.data();
    std::size_t bytes = memory.size() * sizeof(float);
    std::align(line_floats * sizeof(float), floats * sizeof(float), begin, bytes);
    space.encode(query, static_cast<float*>(begin));
    return static_cast<const float*>(begin);
}

std::vector<Found>& found_memory() {
    thread_local std::vector<Found> found;
    return found;
}

}  // namespace

/// Algorithm 5, its ef widened until it finds `want` rows; finds nothing where a
/// scan is as fast.
Result<void> Nearest::find(const float* query, std::size_t want, std::size_t ef) const {
    std::vector<Found>& found = found_memory();
    for (; ef * rows_walked_per_ef < slots_; ef *= 2) {
        const auto walked =
            segment_.graph().search(query, ef, segment_.versions(), published_, limits_, found);
        if (!walked) {
            return walked.error();
        }
        if (found.size() < want) {
            continue;
        }
        if (*walked == Precision::approximate) {
            correct(query, want, found);
        }
        const auto end = found.begin() + static_cast<std::ptrdiff_t>(want);
        std::nth_element(found.begin(), end - 1, found.end(), Nearer{});
        found.resize(want);
        return {};
    }
    found.clear();
    return {};
}

/// Replaces the distances of codes by those of vectors, nearest first, until no row further on can
/// be among the `want` nearest unless its code is twice as wrong as the worst seen. Drops the rest.
void Nearest::correct(const float* query, std::size_t want, std::vector<Found>& found) const {
    std::sort(found.begin(), found.end(), Nearer{});
    thread_local std::vector<float> nearest;  // heap, farthest first
    nearest.clear();
    float error = 0;
    std::size_t done = 0;
    for (; done < found.size(); ++done) {
        Found& one = found[done];
        const bool settled =
            done >= want + corrected_beyond && one.distance - 2 * error > nearest.front();
        if (settled) {
            break;
        }
        if (done + 1 < found.size()) {
            segment_.graph().prefetch(found[done + 1].slot);
        }
        const float exact = space_.walk(query, segment_.graph().code(one.slot));
        error = std::max(error, std::abs(exact - one.distance));
        one.distance = exact;
        nearest.push_back(exact);
        std::push_heap(nearest.begin(), nearest.end());
        if (nearest.size() > want) {
            std::pop_heap(nearest.begin(), nearest.end());
            nearest.pop_back();
        }
    }
    found.resize(done);
}

std::vector<Hit> Nearest::hits_of(const float* query, std::span<const Slot> slots) const {
    std::vector<Hit> hits;
    hits.reserve(slots.size());
    for (const Slot slot : slots) {
        hits.push_back(
            {segment_.keys().get(slot), space_.reported(query, segment_.graph().code(slot))}
        );
    }
    std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
        return sortable(a.distance) < sortable(b.distance);
    });
    return hits;
}

Result<std::vector<Hit>> Nearest::walk(
    std::span<const float> query, std::size_t want, std::size_t ef
) const {
    if (want == 0) {
        return std::vector<Hit>{};
    }
    const float* const code = encoded(space_, query);
    if (const auto done = find(code, want, ef); !done) {
        return done.error();
    }
    const std::vector<Found>& found = found_memory();
    if (found.empty()) {
        return scan_code(code, want);
    }
    std::vector<Slot> slots;
    slots.reserve(found.size());
    std::transform(found.begin(), found.end(), std::back_inserter(slots), [](Found hit) {
        return hit.slot;
    });
    return hits_of(code, slots);
}

Result<std::vector<Hit>> Nearest::scan(std::span<const float> query, std::size_t want) const {
    return scan_code(encoded(space_, query), want);
}

Result<std::vector<Hit>> Nearest::scan_code(const float* query, std::size_t want) const {
    if (want == 0) {
        return std::vector<Hit>{};
    }
    const auto slots = segment_.scan(space_, query, want, slots_, published_, limits_);
    if (!slots) {
        return slots.error();
    }
    return hits_of(query, *slots);
}

}  // namespace veer::index
