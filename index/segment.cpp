#include "index/segment.hpp"

#include "index/content_hash.hpp"
#include "index/graph_store.hpp"
#include "index/reserved_memory.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <string>
#include <thread>
#include <utility>

namespace veer::index {

namespace {

/// Nodes linked by one thread before others join: builders that see only each other's unlinked
/// nodes would build islands.
constexpr std::size_t nodes_alone = 1000;

/// Slot numbers are 32 bits wide, and the last one is no slot.
constexpr std::size_t slots_most = no_slot;

/// A row's entries in the maps from key and from vector to slot: two nodes and their buckets.
constexpr std::size_t map_bytes_per_row = 112;

/// Memory is taken from a budget for so many rows at a time.
constexpr std::size_t rows_taken = 64;
constexpr std::size_t arena_bytes_taken = 64U << 10U;

/// Fewer are not worth a thread.
constexpr std::size_t nodes_per_thread_min = 64;

/// Rows that codes are judged by, at most: a few tens of milliseconds.
constexpr std::size_t rows_judged_by = 4096;

}  // namespace

Result<std::shared_ptr<Segment>> Segment::create(
    const Space& space, const GraphOptions& options, std::size_t capacity, const Room& room
) {
    const RowBytes row = row_bytes(space, options, room.row_bytes_beside);
    capacity = std::max<std::size_t>(capacity, 1);
    std::size_t slots_max = std::clamp(machine_memory_bytes() / row.each, capacity, slots_most);
    // Where address space is limited, it takes what it gets.
    for (; slots_max >= capacity; slots_max /= 2) {
        auto graph = HnswGraph::create(space, options, slots_max);
        if (!graph) {
            continue;
        }
        try {
            const std::shared_ptr<Segment> segment{
                new Segment{std::move(*graph), slots_max, row, room}};
            if (segment->reserve(capacity)) {
                return segment;
            }
            break;
        } catch (const std::exception&) {
            continue;
        }
    }
    return make_error_code(Errc::out_of_memory);
}

std::size_t Segment::bytes_per_slot(std::uint32_t dimensions, std::uint32_t m) {
    return HnswGraph::bytes_per_slot(dimensions, m) + Versions::bytes_per_slot +
           KeyStore::bytes_per_slot;
}

RowBytes Segment::row_bytes(const Space& space, const GraphOptions& options, std::size_t beside) {
    if (!space.fixed_size()) {
        return {
            .each = GraphStore::bytes_per_slot_beside_arena(std::clamp(options.m, 2U, m_max)) +
                    Versions::bytes_per_slot + KeyStore::bytes_per_slot + map_bytes_per_row +
                    beside};
    }
    const std::size_t in_file = HnswGraph::file_bytes_per_slot(space, options);
    return {
        .each =
            bytes_per_slot(space.dimensions(), options.m) + map_bytes_per_row + beside - in_file,
        .vector = in_file,
        .vectors_max = in_file > 0 ? options.vector_file.memory_first : 0};
}

bool Segment::fixed_size() const {
    return graph_->store().space().fixed_size();
}

Result<void> Segment::make_room(std::size_t slots, std::span<const float> vector) {
    return make_room_for(slots, graph_->store().arena_bytes(vector));
}

Result<void> Segment::make_room_for(std::size_t slots, std::size_t vector_bytes) {
    const std::size_t taken = (slots + rows_taken - 1) / rows_taken * rows_taken;
    const std::size_t arena =
        (vector_bytes + arena_bytes_taken - 1) / arena_bytes_taken * arena_bytes_taken;
    const std::uint64_t bytes = row_bytes_.of(taken) + arena;
    if (slots > slots_max_ || bytes > bytes_max_ || !share_.grow_to(bytes)) {
        return make_error_code(Errc::out_of_memory);
    }
    const std::size_t capacity = graph_->capacity();
    if (slots <= capacity ||
        reserve(std::min(std::max(slots, 2 * capacity), slots_max_)).has_value()) {
        return {};
    }
    return reserve(slots);
}

Result<void> Segment::reserve(std::size_t slots) {
    if (!versions_.reserve(slots) || !keys_.reserve(slots)) {
        return make_error_code(Errc::out_of_memory);
    }
    return graph_->reserve(slots);
}

void Segment::judge_codes(std::size_t slots) {
    if (!graph_->codes_to_be_judged()) {
        return;
    }
    const std::size_t step = (slots + rows_judged_by - 1) / rows_judged_by;
    std::vector<Slot> sample;
    try {
        sample.reserve(rows_judged_by);
    } catch (const std::exception&) {
        return;  // another time: they are as good as they were
    }
    for (std::size_t i = 0; i < slots; i += step) {
        const auto slot = static_cast<Slot>(i);
        if (versions_.death(slot) == never) {  // one read back may have no vector else
            sample.push_back(slot);
        }
    }
    graph_->judge_codes(sample);
}

bool Segment::holds(Slot slot, std::span<const float> vector) const {
    const std::span<const float> held = graph_->vector(slot);
    return held.size() == vector.size() &&
           std::memcmp(held.data(), vector.data(), vector.size_bytes()) == 0;
}

Slot Segment::node_of(std::uint64_t hash, std::span<const float> vector) const {
    const auto node = nodes_by_hash_.find(hash);
    return node != nodes_by_hash_.end() && holds(node->second, vector) ? node->second : no_slot;
}

Result<Slot> Segment::add_empty(std::string_view key, int level) {
    std::string own{key};
    const auto slot = graph_->append_empty(level);
    if (slot) {
        keys_.add(std::move(own));
        versions_.add(*slot, 0);
        versions_.set_death(*slot, 0);
    }
    return slot;
}

void Segment::kill(Slot slot, Sequence sequence) {
    versions_.set_death(slot, sequence);
    graph_->store().links().touch(slot, LinkLists::links_changed | LinkLists::rows_died);
}

Result<Segment::Added> Segment::add(
    std::string_view key, std::span<const float> vector, Sequence birth
) {
    // What may throw comes first: a slot without a key would shift the keys of all slots to come.
    std::string own{key};
    const auto next = static_cast<Slot>(graph_->size());
    const auto [same, inserted] = nodes_by_hash_.try_emplace(content_hash(vector), next);
    // Different vectors of one hash are two nodes; the second has no group, which costs nothing.
    const Slot node = !inserted && holds(same->second, vector) ? same->second : no_slot;
    const auto appended = graph_->append(vector);
    if (!appended) {
        if (inserted) {
            nodes_by_hash_.erase(same);
        }
        return appended.error();
    }
    const Added added{
        .slot = *appended, .key = keys_.add(std::move(own)), .needs_link = node == no_slot};
    versions_.add(added.slot, birth);
    if (node != no_slot) {
        versions_.chain(node, added.slot);
    }
    return added;
}

std::size_t Segment::link(
    std::span<const Slot> slots, unsigned threads, const std::atomic<bool>* stopping
) {
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> failed{0};
    const auto build = [&](std::size_t end) {
        for (std::size_t i = next.fetch_add(1); i < end; i = next.fetch_add(1)) {
            if (stopping != nullptr && *stopping) {
                return;
            }
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

}  // namespace veer::index
