#pragma once

#include "config/freshness.hpp"
#include "config/keys.hpp"
#include "config/quantity.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

// What the tables of keys are made of: each sets its target only where the value is allowed, and
// says whether it was.

namespace veer::config {

inline constexpr std::size_t salt_bytes_max = 64;
inline constexpr std::size_t text_bytes_max = 4096;
inline constexpr std::string_view freshness_words =
    R"("causal", "eventual" or "bounded 500ms", from 100ms to 24h)";

inline std::optional<std::int64_t> integer_in(
    const Value& value, std::int64_t low, std::int64_t high
) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr || *number < low || *number > high) {
        return std::nullopt;
    }
    return *number;
}

template <class T>
inline bool set_integer(T& target, const Value& value, std::int64_t low, std::int64_t high) {
    const std::optional<std::int64_t> number = integer_in(value, low, high);
    if (number) {
        target = static_cast<T>(*number);
    }
    return number.has_value();
}

inline bool set_number(double& target, const Value& value, double low, double high) {
    double number = std::numeric_limits<double>::quiet_NaN();
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
        number = static_cast<double>(*whole);
    } else if (const auto* fraction = std::get_if<double>(&value)) {
        number = *fraction;
    }
    const bool allowed = number >= low && number <= high;  // false for NaN, too
    if (allowed) {
        target = number;
    }
    return allowed;
}

inline bool set_percent(double& target, const Value& value) {
    return set_number(target, value, 0, 100);
}

inline bool set_truth(bool& target, const Value& value) {
    const auto* truth = std::get_if<bool>(&value);
    if (truth != nullptr) {
        target = *truth;
    }
    return truth != nullptr;
}

inline bool set_text(std::string& target, const Value& value, std::size_t min, std::size_t max) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || text->size() < min || text->size() > max ||
        text->find('\0') != std::string::npos) {
        return false;
    }
    target = *text;
    return true;
}

inline bool set_sticky_by(std::string& target, const Value& value) {
    constexpr std::array<std::string_view, 5> words{
        "auto", "role", "application", "session", "shape"};
    constexpr std::string_view tag = "tag:";
    const auto* text = std::get_if<std::string>(&value);
    const bool allowed =
        text != nullptr && (std::find(words.begin(), words.end(), *text) != words.end() ||
                            (text->starts_with(tag) && text->size() > tag.size()));
    return allowed && set_text(target, value, 1, text_bytes_max);
}

inline constexpr std::array<std::string_view, 6> operators{
    "<->", "<=>", "<#>", "<+>", "<~>", "<%>"};

inline bool set_operator(std::string& target, const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr ||
        std::find(operators.begin(), operators.end(), *text) == operators.end()) {
        return false;
    }
    target = *text;
    return true;
}

inline bool set_duration(
    std::chrono::milliseconds& target,
    const Value& value,
    std::chrono::milliseconds low,
    std::chrono::milliseconds high
) {
    const auto* text = std::get_if<std::string>(&value);
    const std::optional<std::chrono::milliseconds> duration =
        text == nullptr ? std::nullopt : parse_duration(*text);
    if (!duration || *duration < low || *duration > high) {
        return false;
    }
    target = *duration;
    return true;
}

inline bool set_bytes(
    std::uint64_t& target, const Value& value, std::uint64_t low, std::uint64_t high
) {
    std::optional<std::uint64_t> bytes;
    if (const auto* text = std::get_if<std::string>(&value)) {
        bytes = parse_bytes(*text);
    } else if (const auto* number = std::get_if<std::int64_t>(&value); number && *number >= 0) {
        bytes = static_cast<std::uint64_t>(*number);
    }
    if (!bytes || *bytes < low || *bytes > high) {
        return false;
    }
    target = *bytes;
    return true;
}

/// `names` are the enumerators' in their order.
template <class T, std::size_t count>
inline bool set_choice(
    T& target, const Value& value, const std::array<std::string_view, count>& names
) {
    const auto* text = std::get_if<std::string>(&value);
    const auto* found =
        text == nullptr ? names.end() : std::find(names.begin(), names.end(), *text);
    if (found == names.end()) {
        return false;
    }
    target = static_cast<T>(found - names.begin());
    return true;
}

/// What an index may take; 0 is for veer to say.
inline bool set_memory_bound(std::uint64_t& target, const Value& value, std::uint64_t low) {
    return set_bytes(target, value, 0, 0) || set_bytes(target, value, low, 1ULL << 50U);
}

inline bool set_interval(std::chrono::milliseconds& target, const Value& value) {
    return set_duration(
               target, value, std::chrono::milliseconds(0), std::chrono::milliseconds(0)
           ) ||
           set_duration(
               target,
               value,
               std::chrono::milliseconds(1'000),
               std::chrono::milliseconds(86'400'000)
           );
}

inline bool set_freshness(Freshness& target, const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    const auto freshness = text == nullptr ? std::nullopt : parse_freshness(*text);
    target = freshness.value_or(target);
    return freshness.has_value();
}

}  // namespace veer::config
