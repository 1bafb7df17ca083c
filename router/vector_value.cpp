#include "router/vector_value.hpp"

#include "router/sparse_text.hpp"
#include "storage/half.hpp"

#include <fast_float/fast_float.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
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

constexpr std::array<double, 16> powers_of_ten{
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

struct Digits {
    std::uint64_t value = 0;
    unsigned count = 0;  ///< 8: there may be more
};

/// The digits at the front of eight bytes, all at once: digits of many lengths, one after the
/// other, are what a processor cannot foresee.
Digits leading_digits(const char* bytes) {
    constexpr std::uint64_t zeros = 0x3030'3030'3030'3030;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);  // the first is the lowest
    const std::uint64_t values = word ^ zeros;
    const std::uint64_t others =
        ((values + 0x7676'7676'7676'7676) | values) & 0x8080'8080'8080'8080;
    const auto count = static_cast<unsigned>(std::countr_zero(others)) / 8;
    if (count == 0) {
        return {};
    }
    std::uint64_t digits = values << (64 - 8 * count);  // zeros come before them
    digits = digits * 10 + (digits >> 8U);
    constexpr std::uint64_t pairs = 0x0000'00FF'0000'00FF;
    digits = ((digits & pairs) * 0x000F'4240'0000'0064 +
              ((digits >> 16U) & pairs) * 0x0000'2710'0000'0001) >>
             32U;
    return {digits, count};
}

/// 0.0123456 or -12.5: digits on both sides of a point, at most 15, as literals have them. Behind
/// them; null where it is anything else.
///
/// Digits and the power of ten are exact doubles, so that their quotient is the double nearest to
/// the number. To round that once more gives the nearest float, unless it lies in the middle of
/// two.
const char* read_short_number(const char* at, const char* end, float& value) {
    constexpr std::ptrdiff_t readable = 20;  // sign, digits, point and twice eight bytes
    if (end - at < readable || std::endian::native != std::endian::little) {
        return nullptr;
    }
    const bool negative = *at == '-';
    at += negative ? 1 : 0;
    const auto first = static_cast<unsigned char>(*at - '0');
    if (first > 9 || at[1] != '.') {
        return nullptr;
    }
    at += 2;
    constexpr unsigned word = 8;
    Digits fraction = leading_digits(at);
    if (fraction.count == word) {
        const Digits more = leading_digits(at + word);
        if (more.count >= word - 1) {
            return nullptr;
        }
        fraction.value =
            fraction.value * static_cast<std::uint64_t>(powers_of_ten[more.count]) + more.value;
        fraction.count += more.count;
    }
    at += fraction.count;
    const double scale = powers_of_ten[fraction.count];
    const double digits = first * scale + static_cast<double>(fraction.value);
    if (fraction.count == 0 || *at == 'e' || *at == 'E' || digits == 0) {
        return nullptr;
    }
    const double nearest = digits / scale;
    constexpr std::uint64_t below_a_float = (std::uint64_t{1} << 29U) - 1;
    constexpr std::uint64_t middle = std::uint64_t{1} << 28U;
    if ((std::bit_cast<std::uint64_t>(nearest) & below_a_float) == middle) {
        return nullptr;
    }
    value = static_cast<float>(negative ? -nearest : nearest);
    return at;
}

/// std::from_chars at two thirds of its time, which is most of what a literal costs. Of zeros and
/// of what is out of range std's word counts: there the versions of the library differ.
std::from_chars_result read_any_number(const char* at, const char* end, float& value) {
    const auto [stop, error] = fast_float::from_chars(at, end, value);
    return error == std::errc{} && std::isnormal(value) ? std::from_chars_result{stop, error}
                                                        : std::from_chars(at, end, value);
}

/// Reads the numbers of one list. These are alike: where short ones do not come, they are not
/// looked for.
class NumberReader {
  public:
    std::from_chars_result read(const char* at, const char* end, float& value) {
        constexpr unsigned misses_max = 8;
        if (misses_ < misses_max) {
            if (const char* const behind = read_short_number(at, end, value)) {
                return {behind, std::errc{}};
            }
            ++misses_;
        }
        return read_any_number(at, end, value);
    }

  private:
    unsigned misses_ = 0;
};

/// Numbers separated by commas; nothing else but white space, and what the form allows.
std::optional<Floats> parse_list(std::string_view text, Form form) {
    std::vector<float> values;
    values.reserve(std::min(dimensions_max, text.size() / 8 + 1));
    NumberReader numbers;
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
        const auto [stop, error] = numbers.read(at, end, value);
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

/// Looks at all of them, at each search: without a way out in the middle it is a loop of wide
/// registers.
bool all_finite(const Floats& floats) {
    constexpr std::uint32_t exponent = 0x7F80'0000;  // all ones: infinite, or not a number
    std::uint32_t not_finite = 0;
    for (const float value : floats) {
        not_finite |= (std::bit_cast<std::uint32_t>(value) & exponent) == exponent ? 1U : 0U;
    }
    return not_finite == 0;
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
