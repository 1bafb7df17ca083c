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
#include <limits>
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

constexpr std::array<std::uint64_t, 16> powers_of_ten = [] {
    std::array<std::uint64_t, 16> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i) {
        powers[i] = 10 * powers[i - 1];
    }
    return powers;
}();

/// Eight bytes, the first being the lowest, less '0' each.
std::uint64_t eight_digits(const char* bytes) {
    constexpr std::uint64_t zeros = 0x3030'3030'3030'3030;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return word ^ zeros;
}

/// The top bit of each of these that is no digit.
std::uint64_t no_digits(std::uint64_t values) {
    return ((values + 0x7676'7676'7676'7676) | values) & 0x8080'8080'8080'8080;
}

/// How many bytes are before the first whose top bit is set.
unsigned bytes_before(std::uint64_t tops) {
    return static_cast<unsigned>(std::countr_zero(tops)) / 8;
}

std::uint64_t first_bytes(unsigned count) {
    return ~std::uint64_t{0} >> (64 - 8 * count);
}

/// The first `count` of them, 1 to 8, as a number.
std::uint64_t number_of(std::uint64_t values, unsigned count) {
    std::uint64_t digits = values << (64 - 8 * count);  // zeros come before them
    digits = digits * 10 + (digits >> 8U);
    constexpr std::uint64_t pairs = 0x0000'00FF'0000'00FF;
    return ((digits & pairs) * 0x000F'4240'0000'0064 +
            ((digits >> 16U) & pairs) * 0x0000'2710'0000'0001) >>
           32U;
}

/// digits / 10^count as the nearest float; nothing where it is too near to the middle of two to
/// say.
///
/// Both are exact doubles, so that their quotient is the double nearest to the number. To round
/// that once more gives the nearest float, unless it lies in the middle of two.
std::optional<float> quotient(std::uint64_t digits, unsigned count) {
    const double nearest = static_cast<double>(static_cast<std::int64_t>(digits)) /
                           static_cast<double>(static_cast<std::int64_t>(powers_of_ten[count]));
    constexpr std::uint64_t below_a_float = (std::uint64_t{1} << 29U) - 1;
    constexpr std::uint64_t middle = std::uint64_t{1} << 28U;
    return (std::bit_cast<std::uint64_t>(nearest) & below_a_float) == middle
               ? std::nullopt
               : std::optional(static_cast<float>(nearest));
}

/// Reads numbers like 0.0123456 or -3.5, a digit before the point and at most 14 behind it, each
/// with a comma behind it, as long as they come; gives the place behind the last comma.
///
/// Each is taken to have as many digits as the one before: then it is known where the next one
/// begins before this one is read, and the processor reads some at the same time.
const char* read_short_numbers(const char* at, const char* end, Floats& values) {
    constexpr std::ptrdiff_t readable = 21;  // space, sign, digit, point and twice eight bytes
    constexpr unsigned word = 8;
    unsigned foreseen = 7;
    while (end - at >= readable && values.size() < dimensions_max) {
        const char* next = at + (*at == ' ' ? 1 : 0);
        const std::uint32_t negative = *next == '-' ? 1 : 0;
        next += negative;
        const auto first = static_cast<unsigned char>(*next - '0');
        if (first > 9 || next[1] != '.') {
            return at;
        }
        next += 2;
        const std::uint64_t front = eight_digits(next);
        const std::uint64_t back = eight_digits(next + word);
        const std::uint64_t others = no_digits(front);
        unsigned count = foreseen;
        if ((others & first_bytes(std::min(foreseen, word))) != 0 || next[foreseen] != ',')
            [[unlikely]] {
            count = bytes_before(others);
            if (count == word) {
                count += bytes_before(no_digits(back));
            }
            if (count == 0 || count >= 2 * word - 1 || next[count] != ',') {
                return at;
            }
            foreseen = count;
        }
        std::uint64_t digits = 0;
        if (count <= word) {
            digits = number_of(front, count);
        } else {
            digits = number_of(front, word) * powers_of_ten[count - word] +
                     number_of(back, count - word);
        }
        const auto value = quotient(first * powers_of_ten[count] + digits, count);
        if (!value || (count > word && (no_digits(back) & first_bytes(count - word)) != 0)) {
            return at;
        }
        // Half of all numbers are negative, which ones nobody foresees.
        values.push_back(
            std::bit_cast<float>(std::bit_cast<std::uint32_t>(*value) | negative << 31U)
        );
        at = next + count + 1;
    }
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
    const char* read_short(const char* at, const char* end, Floats& values) {
        constexpr unsigned misses_max = 8;
        if (misses_ == misses_max || std::endian::native != std::endian::little) {
            return at;
        }
        const char* const behind = read_short_numbers(at, end, values);
        misses_ += behind == at ? 1 : 0;
        return behind;
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
        if (form == Form::vector) {
            at = numbers.read_short(at, end, values);
        }
        skip_space();
        const bool quoted = form == Form::array && at != end && *at == '"';
        at += quoted ? 1 : 0;
        if (end - at >= 2 && *at == '+' && at[1] != '-') {
            ++at;  // strtof accepts it, from_chars does not
        }
        float value = 0;
        const auto [stop, error] = read_any_number(at, end, value);
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

/// Whether ARRAY[...] of these numbers is a bigint[], which no cast makes a vector: all are whole,
/// one of them is beyond integer, and none beyond bigint. That a text may cast it to real[] first,
/// which would do, is not known here.
bool is_bigint_array(std::string_view text) {
    if (text.find_first_not_of("0123456789+-, \t\n\v\f\r") != std::string_view::npos) {
        return false;
    }
    bool beyond_integer = false;
    while (!text.empty()) {
        const std::size_t digits = std::min(text.find_first_of("0123456789"), text.size());
        text.remove_prefix(digits);
        const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
        std::int64_t magnitude = 0;
        const auto error = std::from_chars(text.data(), text.data() + count, magnitude).ec;
        if (error == std::errc::result_out_of_range) {
            return false;  // numeric, and so are all
        }
        beyond_integer = beyond_integer || magnitude > std::numeric_limits<std::int32_t>::max();
        text.remove_prefix(count);
    }
    return beyond_integer;
}

std::optional<Floats> read_array(std::string_view bytes, ArrayElement element) {
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
    const bool refused = (element == ArrayElement::float4 && type != float4_oid) ||
                         (element == ArrayElement::float8 && type != float8_oid);
    if (refused || (type != float4_oid && type != float8_oid) || count < 1 ||
        count > dimensions_max || bytes.size() != header + count * (4 + width)) {
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
    // Of an array literal's numbers it is not known whether a float8[] rounds them first.
    return is_bigint_array(text) ? std::nullopt : cast(kind, parse_list(text, Form::array));
}

std::optional<Vector> parse_array_binary(
    VectorKind kind, std::string_view bytes, ArrayElement element
) {
    return cast(kind, read_array(bytes, element));
}

}  // namespace veer::router
