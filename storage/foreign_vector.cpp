#include "storage/foreign_vector.hpp"

#include "storage/byte_reader.hpp"

#include <locale.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace veer::storage {

namespace {

using Floats = std::vector<float>;

constexpr std::size_t dimensions_max = 16'000;
constexpr std::uint32_t null_length = 0xFFFFFFFFU;

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/// array_send: int32 ndim, has_nulls, element type; per dimension int32 size, lower bound; per
/// element int32 length and bytes.
std::optional<Floats> read_array(VectorForm form, std::string_view bytes) {
    constexpr std::uint32_t float4_oid = 700;
    constexpr std::uint32_t float8_oid = 701;
    const bool wide = form == VectorForm::double_array;
    ByteReader in{bytes};
    const std::uint32_t dimensions = in.be32();
    (void)in.be32();  // whether there is room for NULLs; that there are some, their lengths say
    const std::uint32_t type = in.be32();
    const std::uint32_t count = in.be32();
    (void)in.be32();
    if (in.failed() || dimensions != 1 || type != (wide ? float8_oid : float4_oid) ||
        count > dimensions_max) {
        return std::nullopt;
    }
    Floats floats;
    floats.reserve(count);
    for (std::uint32_t left = count; left > 0 && !in.failed(); --left) {
        const std::uint32_t length = in.be32();
        if (length == null_length || length != (wide ? 8U : 4U)) {
            return std::nullopt;
        }
        floats.push_back(
            wide ? static_cast<float>(std::bit_cast<double>(in.be64()))
                 : std::bit_cast<float>(in.be32())
        );
    }
    return in.at_end() ? std::optional{std::move(floats)} : std::nullopt;
}

/// What strtof makes of the beginning of a token, in the C locale as Postgres has it; as many
/// characters as it takes, 0 where it is no number.
std::size_t parse_slowly(std::string_view rest, float& value) {
    static const locale_t c_locale = ::newlocale(LC_ALL_MASK, "C", nullptr);
    const std::size_t end = std::min(rest.find_first_of(" \t\n\v\f\r,]"), rest.size());
    const std::string token{rest.substr(0, end)};
    char* stopped = nullptr;
    value = ::strtof_l(token.c_str(), &stopped, c_locale);
    return static_cast<std::size_t>(stopped - token.c_str());
}

std::size_t parse_number(std::string_view rest, float& value) {
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    // Of these alone the two are sure to agree: not of 0x1p3, +1, 1e-60 or infinities.
    return error == std::errc{} && std::isnormal(value)
               ? static_cast<std::size_t>(stop - rest.data())
               : parse_slowly(rest, value);
}

std::string_view without_space(std::string_view text) {
    const auto begin = std::find_if_not(text.begin(), text.end(), is_space);
    return text.substr(static_cast<std::size_t>(begin - text.begin()));
}

/// vector_in.
std::optional<Floats> read_text(std::string_view text) {
    text = without_space(text);
    if (text.empty() || text.front() != '[') {
        return std::nullopt;
    }
    Floats floats;
    char separator = ',';
    while (separator == ',') {
        text = without_space(text.substr(1));
        float value = 0;
        const std::size_t taken = text.empty() ? 0 : parse_number(text, value);
        if (taken == 0 || floats.size() == dimensions_max) {
            return std::nullopt;
        }
        floats.push_back(value);
        text = without_space(text.substr(taken));
        separator = text.empty() ? '\0' : text.front();
    }
    const bool ends = separator == ']' && without_space(text.substr(1)).empty();
    return ends ? std::optional{std::move(floats)} : std::nullopt;
}

/// jsonb_send: a version of 1, and the text.
std::optional<Floats> read_json(std::string_view bytes) {
    constexpr char version = 1;
    return bytes.empty() || bytes.front() != version ? std::nullopt : read_text(bytes.substr(1));
}

std::optional<Floats> read_vector(std::string_view bytes) {
    std::optional<Vector> vector = decode_vector(VectorKind::vector, bytes);
    return vector.has_value() ? std::optional{std::get<Floats>(std::move(*vector))} : std::nullopt;
}

std::optional<Floats> read(VectorForm form, std::string_view bytes) {
    switch (form) {
        case VectorForm::native:
            return std::nullopt;
        case VectorForm::unbound:
            return read_vector(bytes);
        case VectorForm::real_array:
        case VectorForm::double_array:
            return read_array(form, bytes);
        case VectorForm::text:
            return read_text(bytes);
        case VectorForm::jsonb:
            return read_json(bytes);
    }
    return std::nullopt;
}

}  // namespace

std::optional<VectorForm> foreign_form(std::uint32_t type_oid) {
    constexpr std::array<std::pair<std::uint32_t, VectorForm>, 5> forms{
        {{1021, VectorForm::real_array},
         {1022, VectorForm::double_array},
         {25, VectorForm::text},
         {1043, VectorForm::text},
         {3802, VectorForm::jsonb}}};
    for (const auto& [oid, form] : forms) {
        if (oid == type_oid) {
            return form;
        }
    }
    return std::nullopt;
}

std::optional<Vector> read_foreign_vector(
    VectorForm form, std::int32_t dimensions, std::string_view bytes
) {
    std::optional<Floats> floats = read(form, bytes);
    const bool fits = floats.has_value() &&
                      static_cast<std::int64_t>(floats->size()) == dimensions &&
                      std::all_of(floats->begin(), floats->end(), [](float value) {
                          return std::isfinite(value);
                      });
    return fits ? std::optional<Vector>{std::move(*floats)} : std::nullopt;
}

std::string foreign_digest(std::string_view bytes) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
    return {reinterpret_cast<const char*>(hash.data()), foreign_digest_bytes};
}

}  // namespace veer::storage
