#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::config {

/// Reads "50ms", "2s", "1m" or "1h": a whole number and its unit. Nothing else is a duration.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Formats with the largest unit that keeps a whole number: 1500 ms is "1500ms", 120000 ms "2m".
std::string to_string(std::chrono::milliseconds duration);

/// Reads "512B", "64KiB", "4MiB" or "1GiB".
std::optional<std::uint64_t> parse_bytes(std::string_view text);

/// Formats with the largest unit that keeps a whole number: "4MiB".
std::string bytes_to_string(std::uint64_t bytes);

/// Formats a share of traffic without needless digits: "25", "0.5".
std::string number_to_string(double number);

}  // namespace veer::config
