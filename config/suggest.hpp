#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace veer::config {

/// Finds what a misspelt word was meant to be: the nearest of `known` within two edits
/// (Levenshtein), or one that the word begins, or that begins the word.
std::optional<std::string_view> suggest(
    std::string_view word, std::span<const std::string_view> known
);

}  // namespace veer::config
