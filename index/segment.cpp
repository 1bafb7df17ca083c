#include "index/segment.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <exception>
#include <functional>
#include <limits>
#include <thread>

namespace veer::index {

namespace {

/// Nodes linked by one thread before others join: builders that see only each other's unlinked
/// nodes would build islands.
constexpr std::size_t nodes_alone = 1000;

/// Fewer are not worth a thread.
constexpr std::size_t nodes_per_thread_min = 64;

std::size_t hash_of(std::span<const float> vector) {
    const std::string_view bytes{reinterpret_cast<const char*>(vector.data()), vector.size_bytes()};
    return std::hash<std::string_view>{}(bytes);
}

/// pgvector sorts NaN last; a comparison without that is no order at all.
double sortable(double distance) {
    return std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
}

}  // namespace

Result<std::shared_ptr<Segment>> Segment::create(
    const Space& space, const GraphOptions& options, std::size_t capacity
) {
    auto graph = HnswGraph::create(space, options, capacity);
    if (!graph) {
        return graph.error();
    }
    return std::shared_ptr<Segment>(new Segment{
        std::move(*graph), Versions{capacity}, KeyStore{capacity}});
}

Result<std::shared_ptr<Segment>> Segment::grown(std::size_t capacity) {
    auto graph = graph_->grown(capacity);
    if (!graph) {
        return graph.error();
    }
    std::shared_ptr<Segment> larger{
        new Segment{std::move(*graph), Versions{versions_, capacity}, KeyStore{keys_, capacity}}};
    larger->nodes_by_hash_ = std::move(nodes_by_hash_);
    return larger;
}

bool Segment::holds(Slot slot, std::span<const float> vector) const {
    return std::memcmp(graph_->code(slot), vector.data(), vector.size_bytes()) == 0;
}

Result<Segment::Added> Segment::add(
    std::string_view key, std::span<const float> vector, Sequence birth
) {
    const auto appended = graph_->append(vector);
    if (!appended) {
        return appended.error();
    }
    Added added{.slot = *appended, .key = keys_.set(*appended, key), .needs_link = true};
    versions_.set_birth(added.slot, birth);
    const auto [same, inserted] = nodes_by_hash_.try_emplace(hash_of(vector), added.slot);
    // Different vectors of one hash are two nodes; the second has no group, which costs nothing.
    if (!inserted && holds(same->second, vector)) {
        versions_.chain(same->second, added.slot);
        added.needs_link = false;
    }
    return added;
}

std::size_t Segment::link(std::span<const Slot> slots, unsigned threads) {
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> failed{0};
    const auto build = [&](std::size_t end) {
        for (std::size_t i = next.fetch_add(1); i < end; i = next.fetch_add(1)) {
            failed += graph_->link(slots[i]).has_error() ? 1U : 0U;
        }
    };
    const std::size_t linked = graph_->size() - slots.size();
    const std::size_t alone = linked >= nodes_alone ? 0 : nodes_alone - linked;
    if (alone > 0) {
        build(std::min(alone, slots.size()));
        next = std::min(alone, slots.size());
    }
    const std::size_t useful = (slots.size() - next) / nodes_per_thread_min + 1;
    const std::size_t builders = std::min<std::size_t>(std::max(threads, 1U), useful);
    std::vector<std::thread> others;
    try {
        for (std::size_t i = 1; i < builders; ++i) {
            others.emplace_back(build, slots.size());
        }
    } catch (const std::exception&) {
        // No more threads to be had: those there are do the work.
    }
    build(slots.size());
    for (std::thread& other : others) {
        other.join();
    }
    return failed;
}

std::vector<Slot> Segment::scan(
    const Space& space, const float* query, std::size_t k, std::size_t slots, Sequence published
) const {
    using Candidate = std::pair<double, Slot>;
    std::vector<Candidate> nearest;  // heap, farthest first
    for (Slot slot = 0; slot < slots; ++slot) {
        if (!versions_.visible(slot, published)) {
            continue;
        }
        const Candidate candidate{sortable(space.reported(query, graph_->code(slot))), slot};
        if (nearest.size() < k) {
            nearest.push_back(candidate);
            std::push_heap(nearest.begin(), nearest.end());
        } else if (candidate < nearest.front()) {
            std::pop_heap(nearest.begin(), nearest.end());
            nearest.back() = candidate;
            std::push_heap(nearest.begin(), nearest.end());
        }
    }
    std::vector<Slot> found;
    found.reserve(nearest.size());
    for (const auto& [distance, slot] : nearest) {
        found.push_back(slot);
    }
    return found;
}

}  // namespace veer::index
