#include "index/graph_store.hpp"

#include "index/agreement.hpp"

#include <algorithm>
#include <vector>

namespace veer::index {

namespace {

constexpr std::size_t line_bytes = 64;

/// The processor's own stride prefetcher takes over after some lines.
constexpr std::size_t prefetched_bytes_max = 32 * line_bytes;

/// Enough for a mean; all that training costs is linear in it.
constexpr std::size_t sample_max = 4096;

std::size_t round_up(std::size_t value, std::size_t step) {
    return (value + step - 1) / step * step;
}

}  // namespace

std::size_t GraphStore::vector_bytes(std::uint32_t dimensions) {
    return round_up((std::size_t{dimensions} + 1) * sizeof(float), line_bytes);
}

GraphStore::GraphStore(
    const Space& space, std::uint32_t m, std::size_t slots_max, const VectorFile& file
)
    : space_{space},
      vector_bytes_{space.fixed_size() ? vector_bytes(space.dimensions()) : sizeof(std::uint64_t)},
      vector_bytes_max_{vector_bytes(space.dimensions())},
      code_bytes_{Sq8::code_bytes(space.dimensions())},
      sign_bytes_{SignCodes::code_bytes(space.dimensions())},
      vectors_{slots_max * vector_bytes_, space.fixed_size() ? file : VectorFile{}},
      codes_{slots_max * code_bytes_},
      signs_{slots_max * sign_bytes_},
      links_{m, slots_max} {
    if (!space.fixed_size()) {
        arena_.emplace(slots_max * vector_bytes_max_);
    }
}

std::size_t GraphStore::bytes_per_slot(std::uint32_t dimensions, std::uint32_t m) {
    return vector_bytes(dimensions) + Sq8::code_bytes(dimensions) +
           SignCodes::code_bytes(dimensions) + LinkLists::bytes_per_slot(m);
}

std::size_t GraphStore::bytes_per_slot_beside_arena(std::uint32_t m) {
    return sizeof(std::uint64_t) + LinkLists::bytes_per_slot(m);
}

bool GraphStore::reserve(std::size_t slots) {
    const bool reserved = vectors_.grow(slots * vector_bytes_) && links_.reserve(slots) &&
                          (!sq8_ || grow_codes(slots));
    capacity_ = reserved ? std::max(capacity_, slots) : capacity_;
    return reserved;
}

void GraphStore::prefetch(const ReservedMemory& memory, std::size_t at, std::size_t bytes) {
    for (std::size_t i = 0; i < std::min(bytes, prefetched_bytes_max); i += line_bytes) {
        __builtin_prefetch(memory.data() + at + i);
    }
}

void GraphStore::encode(Slot slot, const Sq8& sq8, const SignCodes& sign_codes) {
    sq8.encode(vector(slot), reinterpret_cast<std::int8_t*>(codes_.data() + slot * code_bytes_));
    sign_codes.encode(vector(slot), code(slot), signs_.data() + slot * sign_bytes_);
}

/// Where the code of a vector goes; null where memory is missing.
float* GraphStore::place_for(Slot slot, std::span<const float> vector) {
    std::byte* const at = vectors_.data() + slot * vector_bytes_;
    if (!arena_) {
        return reinterpret_cast<float*>(at);
    }
    const std::size_t end = arena_bytes(vector);
    if (end > arena_->usable_bytes() && !arena_->grow(end + end / 2) && !arena_->grow(end)) {
        return nullptr;
    }
    const std::uint64_t place = arena_used_;
    std::memcpy(at, &place, sizeof place);
    arena_used_ = end;
    return reinterpret_cast<float*>(arena_->data() + place);
}

bool GraphStore::set_vector(Slot slot, std::span<const float> vector) {
    float* const place = place_for(slot, vector);
    if (place == nullptr) {
        return false;
    }
    space_.encode(vector, place);
    if (sq8_) {
        encode(slot, *sq8_, *sign_codes_);
    }
    return true;
}

Slot GraphStore::append_empty(int level) {
    const auto slot = static_cast<Slot>(size());
    if (!links_.add(slot, level)) {
        return no_slot;
    }
    size_.store(std::size_t{slot} + 1, std::memory_order_release);
    return slot;
}

bool GraphStore::use_codes(std::span<const float> centre) {
    if (!grow_codes(capacity_)) {
        return false;
    }
    sq8_ = std::make_unique<const Sq8>(space_, centre);
    sign_codes_ = std::make_unique<const SignCodes>(space_, *sq8_);
    trained_.store(sq8_.get(), std::memory_order_release);
    return true;
}

Slot GraphStore::append(std::span<const float> vector, int level) {
    const auto slot = static_cast<Slot>(size());
    if (!set_vector(slot, vector) || !links_.add(slot, level)) {
        return no_slot;
    }
    size_.store(std::size_t{slot} + 1, std::memory_order_release);
    links_.touch(slot, LinkLists::links_changed);  // after it: see there
    return slot;
}

bool GraphStore::train(double agreement_min) {
    const std::size_t step = (size() + sample_max - 1) / sample_max;
    std::vector<const float*> sample;
    for (std::size_t slot = 0; slot < size(); slot += step) {
        sample.push_back(vector(static_cast<Slot>(slot)));
    }
    auto sq8 = std::make_unique<const Sq8>(space_, sample);
    if (sq8->agreement(sample) < agreement_min) {
        return true;
    }
    if (!grow_codes(capacity_)) {
        return false;
    }
    auto sign_codes = std::make_unique<const SignCodes>(space_, *sq8);
    for (std::size_t slot = 0; slot < size(); ++slot) {
        encode(static_cast<Slot>(slot), *sq8, *sign_codes);
    }
    sign_codes_ = std::move(sign_codes);
    sq8_ = std::move(sq8);
    trained_.store(sq8_.get(), std::memory_order_release);
    return true;
}

/// The rows of a sample are far apart; whether codes tell those apart that lie together, the links
/// say.
double GraphStore::agreement(std::span<const Slot> sample) const {
    constexpr std::size_t asked_max = 32;
    const Sq8& sq8 = *this->sq8();
    Agreement agreement;
    std::vector<Slot> others;
    const std::size_t step = sample.size() / asked_max + 1;
    for (std::size_t asked = 0; asked < sample.size(); asked += step) {
        const Slot query = sample[asked];
        others.assign(sample.begin(), sample.end());
        Links near;
        Links further;
        const std::size_t count = links_.at(query, 0).read(near);
        for (std::size_t i = 0; i < count; ++i) {
            others.push_back(near[i]);
            const std::size_t behind = links_.at(near[i], 0).read(further);
            others.insert(
                others.end(), further.begin(), further.begin() + static_cast<std::ptrdiff_t>(behind)
            );
        }
        std::sort(others.begin(), others.end());
        others.erase(std::unique(others.begin(), others.end()), others.end());
        agreement.ask(
            others.size(),
            [&](std::size_t i) { return space_.walk(vector(query), vector(others[i])); },
            [&](std::size_t i) { return sq8.distance(code(query), code(others[i])); }
        );
    }
    return agreement.share();
}

}  // namespace veer::index
