#include "index/nearest.hpp"

#include "index/unhurried.hpp"

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

constexpr std::size_t rows_between_breaths = 256;

std::vector<Found>& found_memory() {
    thread_local std::vector<Found> found;
    return found;
}

/// Replaces the distances of codes by those of vectors, nearest first, until no row further on can
/// be among the `want` nearest unless its code is twice as wrong as the worst seen. Drops the rest.
void correct(
    const Space& space,
    const HnswGraph& graph,
    const float* query,
    std::size_t want,
    std::vector<Found>& found
) {
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
            graph.prefetch(found[done + 1].slot);
        }
        const float exact = space.walk(query, graph.code(one.slot));
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

}  // namespace

double sortable(double distance) {
    return std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
}

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

void settle(
    const Space& space,
    const HnswGraph& graph,
    const float* query,
    std::size_t want,
    Precision precision,
    std::vector<Found>& found
) {
    if (precision == Precision::approximate) {
        correct(space, graph, query, want, found);
    }
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(want);
    std::nth_element(found.begin(), end - 1, found.end(), Nearer{});
    found.resize(want);
}

Result<std::vector<Slot>> nearest_of(
    const Space& space,
    const HnswGraph& graph,
    const float* query,
    std::span<const Slot> slots,
    std::size_t want,
    Effort& effort
) {
    using Candidate = std::pair<double, Slot>;
    std::vector<Candidate> nearest;  // heap, farthest first
    for (std::size_t i = 0; i < slots.size() && want > 0; ++i) {
        if (i + 1 < slots.size()) {
            graph.prefetch(slots[i + 1]);
        }
        if (!effort.visit(1)) {
            return make_error_code(*effort.reason());
        }
        if (i % rows_between_breaths == 0) {
            breathe();
        }
        const double distance = sortable(space.reported(query, graph.code(slots[i])));
        if (nearest.size() == want) {
            if (distance >= nearest.front().first) {
                continue;
            }
            std::pop_heap(nearest.begin(), nearest.end());
            nearest.pop_back();
        }
        nearest.emplace_back(distance, slots[i]);
        std::push_heap(nearest.begin(), nearest.end());
    }
    std::vector<Slot> found;
    found.reserve(nearest.size());
    for (const auto& [distance, slot] : nearest) {
        found.push_back(slot);
    }
    return found;
}

std::vector<Slot> slots_of(const std::vector<Found>& found) {
    std::vector<Slot> slots;
    slots.reserve(found.size());
    std::transform(found.begin(), found.end(), std::back_inserter(slots), [](Found hit) {
        return hit.slot;
    });
    return slots;
}

/// Algorithm 5, its ef widened until it finds `want` rows; finds nothing where a
/// scan is as fast.
Result<void> Nearest::find(const float* query, std::size_t want, std::size_t ef) const {
    std::vector<Found>& found = found_memory();
    for (; ef * rows_walked_per_ef < slots_; ef *= 2) {
        const auto walked = segment_.graph().search(
            query, want, ef, segment_.versions(), published_, limits_, found
        );
        if (!walked) {
            return walked.error();
        }
        if (found.size() < want) {
            continue;
        }
        settle(space_, segment_.graph(), query, want, *walked, found);
        return {};
    }
    found.clear();
    return {};
}

Result<std::vector<Slot>> Nearest::walk(
    std::span<const float> query, std::size_t want, std::size_t ef
) const {
    if (want == 0) {
        return std::vector<Slot>{};
    }
    const float* const code = encoded(space_, query);
    if (const auto done = find(code, want, ef); !done) {
        return done.error();
    }
    const std::vector<Found>& found = found_memory();
    return found.empty() ? scan(query, want) : slots_of(found);
}

Result<std::vector<Slot>> Nearest::scan(std::span<const float> query, std::size_t want) const {
    if (want == 0) {
        return std::vector<Slot>{};
    }
    std::vector<Slot> visible;
    for (Slot slot = 0; slot < slots_; ++slot) {
        if (segment_.versions().visible(slot, published_)) {
            visible.push_back(slot);
        }
    }
    Effort effort{limits_};
    return nearest_of(space_, segment_.graph(), encoded(space_, query), visible, want, effort);
}

}  // namespace veer::index
