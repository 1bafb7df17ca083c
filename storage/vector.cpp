#include "storage/vector.hpp"

#include "storage/byte_reader.hpp"
#include "storage/half.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

namespace veer::storage {

namespace {

constexpr std::array<std::string_view, 4> names{"vector", "halfvec", "bit", "sparsevec"};

constexpr std::uint32_t dimensions_max = 16'000;  // of vector and halfvec; elements of sparsevec
constexpr std::uint32_t bits_max = 83'886'080;    // of bit(n)
constexpr std::uint32_t sparse_dimensions_max = 1'000'000'000;
constexpr unsigned word_bits = 64;

static_assert(std::endian::native == std::endian::little, "words are filled byte by byte");

std::optional<Vector> decode_floats(VectorKind kind, ByteReader in) {
    const std::uint16_t size = in.be16();
    const std::uint16_t unused = in.be16();
    const std::size_t width = kind == VectorKind::vector ? 4 : 2;
    if (in.failed() || unused != 0 || size == 0 || size > dimensions_max ||
        in.remaining() != size * width) {
        return std::nullopt;
    }
    std::vector<float> floats(size);
    for (float& value : floats) {
        value =
            kind == VectorKind::vector ? std::bit_cast<float>(in.be32()) : half_value(in.be16());
    }
    return floats;
}

std::optional<Vector> decode_bits(ByteReader in) {
    BitVector bits{in.be32(), {}};
    const std::size_t bytes = bits.length / 8 + (bits.length % 8 == 0 ? 0 : 1);
    if (in.failed() || bits.length == 0 || bits.length > bits_max || in.remaining() != bytes) {
        return std::nullopt;
    }
    bits.words.resize(bit_words(bits.length));
    const std::string_view raw = in.bytes(bytes);
    const unsigned padding = static_cast<unsigned>(bytes * 8 - bits.length);
    if ((static_cast<unsigned char>(raw.back()) & ((1U << padding) - 1U)) != 0) {
        return std::nullopt;
    }
    std::memcpy(bits.words.data(), raw.data(), raw.size());
    return bits;
}

std::optional<Vector> decode_sparse(ByteReader in) {
    SparseVector sparse{in.be32(), {}, {}};
    const std::uint32_t count = in.be32();
    const std::uint32_t unused = in.be32();
    if (in.failed() || unused != 0 || sparse.dimensions == 0 ||
        sparse.dimensions > sparse_dimensions_max || count > dimensions_max ||
        in.remaining() != std::size_t{count} * 8) {
        return std::nullopt;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t index = in.be32();
        const bool ascending = sparse.indices.empty() || index > sparse.indices.back();
        if (!ascending || index >= sparse.dimensions) {
            return std::nullopt;
        }
        sparse.indices.push_back(index);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        sparse.values.push_back(std::bit_cast<float>(in.be32()));
        if (sparse.values.back() == 0) {
            return std::nullopt;
        }
    }
    return sparse;
}

}  // namespace

std::optional<VectorKind> vector_kind_of(std::string_view type_name) {
    for (std::size_t kind = 0; kind < names.size(); ++kind) {
        if (names[kind] == type_name) {
            return static_cast<VectorKind>(kind);
        }
    }
    return std::nullopt;
}

std::string_view to_string(VectorKind kind) {
    return names[static_cast<std::size_t>(kind)];
}

std::size_t bit_words(std::uint32_t length) {
    return (std::size_t{length} + word_bits - 1) / word_bits;
}

std::uint32_t dimensions_of(const Vector& vector) {
    if (const auto* const bits = std::get_if<BitVector>(&vector)) {
        return bits->length;
    }
    if (const auto* const sparse = std::get_if<SparseVector>(&vector)) {
        return sparse->dimensions;
    }
    return static_cast<std::uint32_t>(std::get<std::vector<float>>(vector).size());
}

std::size_t bytes_of(const Vector& vector) {
    if (const auto* const bits = std::get_if<BitVector>(&vector)) {
        return bits->words.size() * sizeof(std::uint64_t);
    }
    if (const auto* const sparse = std::get_if<SparseVector>(&vector)) {
        return sparse->indices.size() * (sizeof(std::uint32_t) + sizeof(float));
    }
    return std::get<std::vector<float>>(vector).size() * sizeof(float);
}

std::optional<Vector> decode_vector(VectorKind kind, std::string_view bytes) {
    switch (kind) {
        case VectorKind::vector:
        case VectorKind::halfvec:
            return decode_floats(kind, ByteReader{bytes});
        case VectorKind::bit:
            return decode_bits(ByteReader{bytes});
        case VectorKind::sparsevec:
            return decode_sparse(ByteReader{bytes});
    }
    return std::nullopt;
}

}  // namespace veer::storage
