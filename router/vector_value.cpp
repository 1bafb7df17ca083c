#include "router/vector_value.hpp"

#include "router/sparse_text.hpp"
#include "storage/half.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

namespace veer::router {

namespace {

using storage::Vector;
using storage::VectorKind;
using Floats = std::vector<float>;

constexpr std::size_t dimensions_max = 16000;

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/// The text form of a vector, or that of an array, whose elements may have quotes and may be
/// float8.
enum class Form : bool { vector, array };

/// Numbers separated by commas; nothing else but white space, and what the form allows.
std::optional<Floats> parse_list(std::string_view text, Form form) {
    std::vector<float> values;
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto skip_space = [&] {
        while (at != end && is_space(*at)) {
            ++at;
        }
    };
    for (;;) {
        skip_space();
        const bool quoted = form == Form::array && at != end && *at == '"';
        at += quoted ? 1 : 0;
        if (end - at >= 2 && *at == '+' && at[1] != '-') {
            ++at;  // strtof accepts it, from_chars does not
        }
        float value = 0;
        const auto [stop, error] = std::from_chars(at, end, value);
        if (error != std::errc{} || !std::isfinite(value) || values.size() == dimensions_max) {
            return std::nullopt;
        }
        double wide = 0;
        if (form == Form::array && (std::from_chars(at, end, wide).ec != std::errc{} ||
                                    static_cast<float>(wide) != value)) {
            return std::nullopt;  // rounded twice by a float8[], once by a real[]
        }
        values.push_back(value);
        at = stop;
        if (quoted && (at == end || *at++ != '"')) {
            return std::nullopt;
        }
        skip_space();
        if (at == end) {
            return values;
        }
        if (*at++ != ',') {
            return std::nullopt;
        }
    }
}

std::optional<Floats> parse_enclosed(std::string_view text, char open, char close, Form form) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    if (text.size() < 2 || text.front() != open || text.back() != close) {
        return std::nullopt;
    }
    return parse_list(text.substr(1, text.size() - 2), form);
}

template <class Unsigned>
Unsigned big_endian(std::string_view bytes, std::size_t at) {
    Unsigned value = 0;
    for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
        value = static_cast<Unsigned>(value << 8U) | static_cast<std::uint8_t>(bytes[at + i]);
    }
    return value;
}

std::optional<Floats> read_array(std::string_view bytes) {
    // int32 ndim, int32 has_nulls, int32 element type, then per dimension int32 size, int32 lower
    // bound
    constexpr std::size_t header = 20;
    constexpr std::uint32_t float4_oid = 700;
    constexpr std::uint32_t float8_oid = 701;
    if (bytes.size() < header || big_endian<std::uint32_t>(bytes, 0) != 1 ||
        big_endian<std::uint32_t>(bytes, 4) != 0) {
        return std::nullopt;
    }
    const auto type = big_endian<std::uint32_t>(bytes, 8);
    const std::size_t count = big_endian<std::uint32_t>(bytes, 12);
    const std::size_t width = type == float4_oid ? 4 : 8;
    if ((type != float4_oid && type != float8_oid) || count < 1 || count > dimensions_max ||
        bytes.size() != header + count * (4 + width)) {
        return std::nullopt;
    }
    Floats values(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = header + i * (4 + width);
        if (big_endian<std::uint32_t>(bytes, at) != width) {
            return std::nullopt;
        }
        values[i] = width == 4 ? std::bit_cast<float>(big_endian<std::uint32_t>(bytes, at + 4))
                               : static_cast<float>(
                                     std::bit_cast<double>(big_endian<std::uint64_t>(bytes, at + 4))
                                 );
        if (!std::isfinite(values[i])) {
            return std::nullopt;
        }
    }
    return values;
}

/// Rounds each to the nearest half; nothing where halfvec refuses one.
std::optional<Vector> halves(Floats floats) {
    for (float& value : floats) {
        const std::optional<std::uint16_t> half = storage::nearest_half(value);
        if (!half) {
            return std::nullopt;
        }
        value = storage::half_value(*half);
    }
    return floats;
}

Vector without_zeros(const Floats& floats) {
    storage::SparseVector sparse{static_cast<std::uint32_t>(floats.size()), {}, {}};
    for (std::size_t i = 0; i < floats.size(); ++i) {
        if (floats[i] != 0) {
            sparse.indices.push_back(static_cast<std::uint32_t>(i));
            sparse.values.push_back(floats[i]);
        }
    }
    return sparse;
}

/// What pgvector's casts make of an array of floats.
std::optional<Vector> cast(VectorKind kind, std::optional<Floats> floats) {
    if (!floats) {
        return std::nullopt;
    }
    switch (kind) {
        case VectorKind::vector:
            return *std::move(floats);
        case VectorKind::halfvec:
            return halves(*std::move(floats));
        case VectorKind::bit:
            return std::nullopt;  // no such cast
        case VectorKind::sparsevec:
            return without_zeros(*floats);
    }
    return std::nullopt;
}

/// bit_in, but for the forms b'..' and x'..' with a letter in front.
std::optional<Vector> parse_bits(std::string_view text) {
    storage::BitVector bits{static_cast<std::uint32_t>(text.size()), {}};
    bits.words.resize(storage::bit_words(bits.length));
    auto* const bytes = reinterpret_cast<unsigned char*>(bits.words.data());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '0' && text[i] != '1') {
            return std::nullopt;
        }
        if (text[i] == '1') {
            bytes[i / 8] = static_cast<unsigned char>(bytes[i / 8] | 0x80U >> i % 8);
        }
    }
    return text.empty() ? std::nullopt : std::optional<Vector>(std::move(bits));
}

bool all_finite(const Floats& floats) {
    return std::all_of(floats.begin(), floats.end(), [](float x) { return std::isfinite(x); });
}

bool is_finite(const Vector& vector) {
    if (const auto* const sparse = std::get_if<storage::SparseVector>(&vector)) {
        return all_finite(sparse->values);
    }
    const auto* const floats = std::get_if<Floats>(&vector);
    return floats == nullptr || all_finite(*floats);
}

}  // namespace

std::optional<Vector> parse_vector_text(VectorKind kind, std::string_view text) {
    switch (kind) {
        case VectorKind::vector:
        case VectorKind::halfvec:
            return cast(kind, parse_enclosed(text, '[', ']', Form::vector));
        case VectorKind::bit:
            return parse_bits(text);
        case VectorKind::sparsevec:
            return parse_sparse_text(text);
    }
    return std::nullopt;
}

std::optional<Vector> parse_vector_binary(VectorKind kind, std::string_view bytes) {
    std::optional<Vector> vector = storage::decode_vector(kind, bytes);
    return vector && is_finite(*vector) ? std::move(vector) : std::nullopt;
}

std::optional<Vector> parse_array_text(VectorKind kind, std::string_view text) {
    return cast(kind, parse_enclosed(text, '{', '}', Form::array));
}

std::optional<Vector> parse_array_items(VectorKind kind, std::string_view text) {
    return cast(kind, parse_list(text, Form::vector));
}

std::optional<Vector> parse_array_binary(VectorKind kind, std::string_view bytes) {
    return cast(kind, read_array(bytes));
}

}  // namespace veer::router
