#include "index/elements.hpp"

#include <bit>
#include <cstring>

namespace veer::index {

namespace {

/// What learnt sparse embeddings have, roughly.
constexpr std::uint32_t sparse_elements_assumed = 1 + 2 * 128;

template <class T>
void append(std::vector<float>& memory, const std::vector<T>& items) {
    static_assert(sizeof(T) % sizeof(float) == 0);
    const std::size_t begin = memory.size();
    const std::size_t bytes = items.size() * sizeof(T);
    memory.resize(begin + bytes / sizeof(float));
    if (!items.empty()) {
        std::memcpy(memory.data() + begin, items.data(), bytes);
    }
}

}  // namespace

std::span<const float> elements_of(const storage::Vector& vector, std::vector<float>& memory) {
    if (const auto* const floats = std::get_if<std::vector<float>>(&vector)) {
        return *floats;
    }
    memory.clear();
    if (const auto* const bits = std::get_if<storage::BitVector>(&vector)) {
        append(memory, bits->words);
    } else if (const auto* const sparse = std::get_if<storage::SparseVector>(&vector)) {
        const auto count = static_cast<std::uint32_t>(sparse->indices.size());
        memory.push_back(std::bit_cast<float>(count));
        append(memory, sparse->indices);
        append(memory, sparse->values);
    }
    return memory;
}

std::uint32_t element_count(storage::VectorKind kind, std::uint32_t dimensions) {
    switch (kind) {
        case storage::VectorKind::vector:
        case storage::VectorKind::halfvec:
            return dimensions;
        case storage::VectorKind::bit:
            return static_cast<std::uint32_t>(2 * storage::bit_words(dimensions));
        case storage::VectorKind::sparsevec:
            return sparse_elements_assumed;
    }
    return 0;
}

}  // namespace veer::index
