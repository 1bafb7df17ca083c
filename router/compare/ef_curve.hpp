#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace veer::router::compare {

/// What searches with exact answers come to at one ef.
struct EfPoint {
    std::size_t ef = 0;
    std::size_t searches = 0;
    double recall_sum = 0;
    double recall_squares = 0;
    double seconds = 0;  ///< of a processor

    void add(double recall, double took_seconds);

    double recall() const;

    /// What the mean is at least, three standard errors below: of few searches little is known.
    double recall_at_least() const;

    double milliseconds() const;
};

/// The efs that are tried, rising. A search that asks for more rows than its ef is made at as many.
std::span<const std::size_t> efs_tried();

/// Fewer searches tell nothing.
inline constexpr std::size_t tuned_searches_min = 20;

/// The least ef from which on recall is at least that; nothing where there is none, or too few
/// searches.
std::optional<std::size_t> least_ef(std::span<const EfPoint> curve, double recall);

/// {"10":0.8123,"20":0.9012}: ef and recall, for programs.
std::string curve_json(std::span<const EfPoint> curve);

}  // namespace veer::router::compare
