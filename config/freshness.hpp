#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::config {

/// How old the copy may be that answers a search.
///
///     causal           has all that was committed through this veer before the search
///     bounded 500ms    has all that was committed 500 ms ago, by whomever
///     eventual         any
struct Freshness {
    enum class Kind : std::uint8_t { causal, bounded, eventual };

    static constexpr std::chrono::milliseconds bound_min{100};
    static constexpr std::chrono::milliseconds bound_max{86'400'000};

    Kind kind = Kind::causal;
    std::chrono::milliseconds bound{0};  ///< of `bounded`, bound_min to bound_max

    friend bool operator==(const Freshness&, const Freshness&) = default;
};

/// Reads what to_string() writes, and nothing else.
std::optional<Freshness> parse_freshness(std::string_view text);

std::string to_string(const Freshness& freshness);

}  // namespace veer::config
