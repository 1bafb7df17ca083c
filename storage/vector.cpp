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

/// The i-th word of them. A loop over it is one of wide registers; a reader that looks at each
/// word's bounds takes ten times as long, at every search of a vector sent in binary.
template <class Word>
Word big_endian_at(const char* words, std::size_t i) {
    Word word = 0;
    std::memcpy(&word, words + i * sizeof word, sizeof word);
    return sizeof word == 4
               ? static_cast<Word>(__builtin_bswap32(word))
               : static_cast<Word>(__builtin_bswap16(static_cast<std::uint16_t>(word)));
}

std::optional<Vector> decode_floats(VectorKind kind, ByteReader in) {
    const std::uint16_t size = in.be16();
    const std::uint16_t unused = in.be16();
    const std::size_t width = kind == VectorKind::vector ? 4 : 2;
    if (in.failed() || unused != 0 || size == 0 || size > dimensions_max ||
        in.remaining() != size * width) {
        return std::nullopt;
    }
    const char* const raw = in.bytes(size * width).data();
    std::vector<float> floats(size);
    if (kind == VectorKind::vector) {
        for (std::size_t i = 0; i < size; ++i) {
            floats[i] = std::bit_cast<float>(big_endian_at<std::uint32_t>(raw, i));
        }
    } else {
        for (std::size_t i = 0; i < size; ++i) {
            floats[i] = half_value(big_endian_at<std::uint16_t>(raw, i));
        }
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
