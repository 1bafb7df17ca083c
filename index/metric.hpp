#pragma once

#include <optional>
#include <string_view>

namespace veer::index {

/// pgvector's distance, as its operator computes it (pgvector README, "Distances"):
/// l2 `<->` is the root of the summed squares, cosine `<=>` is 1 - cosine similarity,
/// inner_product `<#>` is the *negative* inner product, l1 `<+>` the sum of absolute differences;
/// of bits, hamming `<~>` counts those that differ, and jaccard `<%>` is 1 - the share of those set
/// in both among those set in either, 1 where none is set in both.
enum class Metric { l2, cosine, inner_product, l1, hamming, jaccard };

/// "<->", "<=>", "<#>", "<+>", "<~>", "<%>"; nothing for any other operator.
std::optional<Metric> metric_of(std::string_view operator_name);

}  // namespace veer::index
