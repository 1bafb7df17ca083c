#include "index/filter_strategy.hpp"

#include <algorithm>

namespace veer::index {

namespace {

// Measured with 100,000 rows of 768 and of 128 dimensions, with signs and without (README).

/// A row's bit, and its place among those nearest so far.
constexpr double lines_beside = 1;

/// The sum of a query's values where a row's signs are set takes as long as two lines.
constexpr double lines_per_sum = 2;

/// Rows whose codes are read in spite of signs: of those compared with, and of those walked to.
constexpr double unscreened_rows = 600;
constexpr double unscreened_share = 0.3;

/// Nodes whose links are followed: for each of ef, and on the way to the bottom layer.
constexpr double followed_per_ef = 1.3;
constexpr double followed_before = 25;

/// Nodes first seen behind those links.
constexpr double seen_per_followed = 10;

/// A list of links, and what is asked about each of them.
constexpr double lines_per_list = 24;

constexpr double scattered = 2;

/// Matching nodes behind two links below which a walk loses its way: with 30 it found 97 of 100
/// nearest rows, with 10 two thirds, with 100 all but one.
constexpr double matching_reached_min = 50;

/// Nodes that do not pass and whose lists are read to find half as many that pass as a list has
/// room for; behind each, half are known already.
double bridges(const FilteredSearch& search) {
    const auto links = static_cast<double>(search.links);
    const double missing = links / 2 - links * search.share();
    const double behind = std::max(links * search.share() / 2, 1e-9);
    return std::clamp(missing / behind, 0.0, links * (1 - search.share()));
}

}  // namespace

double FilteredSearch::share() const {
    return std::min(std::max(nodes, matching) / std::max(rows, 1.0), 1.0);
}

double comparing_cost(const FilteredSearch& search) {
    const auto code = static_cast<double>(search.code_lines);
    const auto signs = static_cast<double>(search.sign_lines);
    if (search.sign_lines == 0) {
        return search.nodes * (code + lines_beside);
    }
    return search.nodes * (signs * scattered + lines_per_sum + lines_beside) +
           std::min(search.nodes, unscreened_rows) * code * scattered;
}

double walking_cost(const FilteredSearch& search) {
    const auto code = static_cast<double>(search.code_lines);
    const auto signs = static_cast<double>(search.sign_lines);
    const double compared = search.sign_lines == 0 ? code : signs + unscreened_share * code;
    const double wasted = search.nodes / std::max(search.matching, 1.0);
    const double followed =
        followed_per_ef * static_cast<double>(search.ef) * std::max(wasted, 1.0) + followed_before;
    return scattered * followed *
           ((1 + bridges(search)) * lines_per_list + seen_per_followed * compared);
}

bool worth_walking(const FilteredSearch& search) {
    const auto links = static_cast<double>(search.links);
    return search.share() * links * links > matching_reached_min &&
           walking_cost(search) < comparing_cost(search);
}

}  // namespace veer::index
