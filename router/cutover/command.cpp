#include "router/cutover/command.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace veer::router::cutover {

namespace {

constexpr std::array<std::string_view, 16> verbs{
    "off",
    "observe",
    "shadow",
    "promote",
    "confirm",
    "hold",
    "resume",
    "rollback",
    "rollback all",
    "complete",
    "reopen",
    "undo",
    "panic",
    "unpanic",
    "acknowledge",
    "reshuffle"};

}  // namespace

std::string_view to_string(Verb verb) {
    return verbs.at(static_cast<std::size_t>(verb));
}

std::optional<Verb> verb_from_text(std::string_view text) {
    std::string word(text);
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) {
        return static_cast<char>(c == '_' ? ' ' : std::tolower(c));
    });
    if (word == "ack") {
        return Verb::acknowledge;
    }
    const auto* const found = std::find(verbs.begin(), verbs.end(), word);
    return found == verbs.end() ? std::nullopt
                                : std::optional(static_cast<Verb>(found - verbs.begin()));
}

bool goes_back(Verb verb) {
    return verb == Verb::off || verb == Verb::observe || verb == Verb::shadow ||
           verb == Verb::rollback || verb == Verb::rollback_all || verb == Verb::panic ||
           verb == Verb::hold;
}

}  // namespace veer::router::cutover
