#pragma once

#include "router/compare/statistics.hpp"

#include <string>

namespace veer::router::compare {

/// Plots of one route's statistics as inline SVG, without scripts or anything from elsewhere.
/// Colours are never the only signal: veer is solid, pgvector is hollow or dashed.

/// How often which recall: two bars at each twentieth.
std::string recall_plot(const RouteStatistics& statistics);

/// Share of searches (up) that took at most so long (right, logarithmic).
std::string latency_plot(const RouteStatistics& statistics);

/// Classes as bars: what veer did better above the axis, worse and wrong below.
std::string difference_plot(const RouteStatistics& statistics);

}  // namespace veer::router::compare
