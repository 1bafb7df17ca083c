#include "router/accepted_statements.hpp"

namespace veer::router {

namespace {

/// The types come first: their number is told by the text's beginning, which has no NUL in it.
std::string key_of(std::string_view text, const std::vector<std::uint32_t>& parameter_types) {
    std::string key;
    key.reserve(text.size() + 1 + 11 * parameter_types.size());
    for (const std::uint32_t type : parameter_types) {
        key += std::to_string(type) + ',';
    }
    key += '\0';
    key += text;
    return key;
}

}  // namespace

AcceptedStatements::Entry* AcceptedStatements::find(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) {
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return &entries_.front();
}

void AcceptedStatements::note_parsed(
    std::string_view text, const std::vector<std::uint32_t>& parameter_types
) {
    if (text.size() > text_bytes_max) {
        return;
    }
    const std::string key = key_of(text, parameter_types);
    const std::lock_guard lock(mutex_);
    if (find(key) != nullptr) {
        return;
    }
    if (entries_.size() == entries_max) {
        by_key_.erase(entries_.back().key);
        entries_.pop_back();
    }
    entries_.push_front({.key = key, .description = {}});
    by_key_.emplace(entries_.front().key, entries_.begin());
}

void AcceptedStatements::note_described(
    std::string_view text,
    const std::vector<std::uint32_t>& parameter_types,
    std::string_view description
) {
    if (description.size() > description_bytes_max) {
        return;
    }
    const std::string key = key_of(text, parameter_types);
    const std::lock_guard lock(mutex_);
    if (Entry* const entry = find(key)) {
        entry->description = description;
    }
}

bool AcceptedStatements::parsed(
    std::string_view text, const std::vector<std::uint32_t>& parameter_types
) {
    const std::string key = key_of(text, parameter_types);
    const std::lock_guard lock(mutex_);
    return find(key) != nullptr;
}

std::optional<std::string> AcceptedStatements::described(
    std::string_view text, const std::vector<std::uint32_t>& parameter_types
) {
    const std::string key = key_of(text, parameter_types);
    const std::lock_guard lock(mutex_);
    const Entry* const entry = find(key);
    return entry == nullptr || entry->description.empty() ? std::nullopt
                                                          : std::optional(entry->description);
}

}  // namespace veer::router
