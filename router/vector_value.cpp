#include "router/vector_value.hpp"

#include <bit>
#include <charconv>
#include <cmath>

namespace veer::router {

namespace {

constexpr std::size_t dimensions_max = 16000;

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/// What array_in allows around an element.
enum class Quotes : bool { none, allowed };

/// Numbers separated by commas; nothing else but white space, and quotes where allowed.
std::optional<std::vector<float>> parse_list(std::string_view text, Quotes quotes) {
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
        const bool quoted = quotes == Quotes::allowed && at != end && *at == '"';
        at += quoted ? 1 : 0;
        if (end - at >= 2 && *at == '+' && at[1] != '-') {
            ++at;  // strtof accepts it, from_chars does not
        }
        float value = 0;
        const auto [stop, error] = std::from_chars(at, end, value);
        if (error != std::errc{} || !std::isfinite(value) || values.size() == dimensions_max) {
            return std::nullopt;
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

std::optional<std::vector<float>> parse_enclosed(
    std::string_view text, char open, char close, Quotes quotes
) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    if (text.size() < 2 || text.front() != open || text.back() != close) {
        return std::nullopt;
    }
    return parse_list(text.substr(1, text.size() - 2), quotes);
}

template <class Unsigned>
Unsigned big_endian(std::string_view bytes, std::size_t at) {
    Unsigned value = 0;
    for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
        value = static_cast<Unsigned>(value << 8U) | static_cast<std::uint8_t>(bytes[at + i]);
    }
    return value;
}

}  // namespace

std::optional<std::vector<float>> parse_vector_text(std::string_view text) {
    return parse_enclosed(text, '[', ']', Quotes::none);
}

std::optional<std::vector<float>> parse_array_text(std::string_view text) {
    return parse_enclosed(text, '{', '}', Quotes::allowed);
}

std::optional<std::vector<float>> parse_array_items(std::string_view text) {
    return parse_list(text, Quotes::none);
}

std::optional<std::vector<float>> parse_vector_binary(std::string_view bytes) {
    if (bytes.size() < 4) {
        return std::nullopt;
    }
    const std::size_t dimensions = big_endian<std::uint16_t>(bytes, 0);
    const bool well_formed = dimensions >= 1 && dimensions <= dimensions_max &&
                             big_endian<std::uint16_t>(bytes, 2) == 0 &&
                             bytes.size() == 4 + 4 * dimensions;
    if (!well_formed) {
        return std::nullopt;
    }
    std::vector<float> values(dimensions);
    for (std::size_t i = 0; i < dimensions; ++i) {
        values[i] = std::bit_cast<float>(big_endian<std::uint32_t>(bytes, 4 + 4 * i));
        if (!std::isfinite(values[i])) {
            return std::nullopt;
        }
    }
    return values;
}

std::optional<std::vector<float>> parse_array_binary(std::string_view bytes) {
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
    std::vector<float> values(count);
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

}  // namespace veer::router
