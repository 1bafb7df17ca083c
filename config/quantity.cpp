#include "config/quantity.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace veer::config {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// Largest first: formatting takes the first unit that divides.
constexpr std::array<Unit, 4> duration_units{
    {{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 4> byte_units{
    {{"GiB", 1ULL << 30U}, {"MiB", 1ULL << 20U}, {"KiB", 1ULL << 10U}, {"B", 1}}};
constexpr std::uint64_t quantity_max = std::numeric_limits<std::int64_t>::max();

std::optional<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc{}) {
        return std::nullopt;
    }
    const std::string_view name(rest, static_cast<std::size_t>(end - rest));
    for (const Unit& unit : units) {
        if (unit.name == name && number <= quantity_max / unit.factor) {
            return number * unit.factor;
        }
    }
    return std::nullopt;
}

std::string format_quantity(std::uint64_t number, std::span<const Unit> units) {
    for (const Unit& unit : units) {
        if (number != 0 && number % unit.factor == 0) {
            return std::to_string(number / unit.factor) + std::string(unit.name);
        }
    }
    return "0" + std::string(units.back().name);
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const std::optional<std::uint64_t> number = parse_quantity(text, duration_units);
    if (!number) {
        return std::nullopt;
    }
    return std::chrono::milliseconds(static_cast<std::int64_t>(*number));
}

std::string to_string(std::chrono::milliseconds duration) {
    return format_quantity(static_cast<std::uint64_t>(duration.count()), duration_units);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    return parse_quantity(text, byte_units);
}

std::string bytes_to_string(std::uint64_t bytes) {
    return format_quantity(bytes, byte_units);
}

std::string number_to_string(double number) {
    std::array<char, 32> buffer{};
    const auto [end, problem] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    return problem == std::errc{} ? std::string(buffer.data(), end) : std::string("?");
}

}  // namespace veer::config
