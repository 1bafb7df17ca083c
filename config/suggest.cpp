#include "config/suggest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace veer::config {
namespace {

constexpr std::size_t edits_max = 2;
constexpr std::size_t prefix_min = 3;       // "k" begins too much
constexpr std::size_t word_bytes_max = 64;  // the table below is quadratic

std::size_t edits(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= left.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
        }
    }
    return row.back();
}

bool begins(std::string_view prefix, std::string_view word) {
    return prefix.size() >= prefix_min && word.starts_with(prefix);
}

}  // namespace

std::optional<std::string_view> suggest(
    std::string_view word, std::span<const std::string_view> known
) {
    if (word.size() > word_bytes_max) {
        return std::nullopt;
    }
    std::optional<std::string_view> nearest;
    std::size_t distance = edits_max + 1;
    for (const std::string_view candidate : known) {
        const std::size_t found = edits(word, candidate);
        // "x" is not meant to be "ab": at least half of the word has to be right.
        if (found < distance && found * 2 <= std::max(word.size(), candidate.size())) {
            nearest = candidate;
            distance = found;
        }
    }
    for (const std::string_view candidate : known) {
        if (!nearest && (begins(word, candidate) || begins(candidate, word))) {
            nearest = candidate;
        }
    }
    return nearest;
}

}  // namespace veer::config
