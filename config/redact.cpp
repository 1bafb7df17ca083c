#include "config/keys.hpp"

#include <array>
#include <cctype>

namespace veer::config {
namespace {

constexpr std::string_view mask = "***";

bool is_space(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

bool is_secret(std::string_view keyword) {
    return keyword == "password" || keyword == "sslpassword";
}

/// Where the value that starts at `at` ends: libpq's rules for quotes and backslashes.
std::size_t value_end(std::string_view dsn, std::size_t at) {
    const bool quoted = at < dsn.size() && dsn[at] == '\'';
    at += quoted ? 1 : 0;
    while (at < dsn.size()) {
        if (dsn[at] == '\\') {
            ++at;
        } else if (quoted && dsn[at] == '\'') {
            return at + 1;
        } else if (!quoted && is_space(dsn[at])) {
            return at;
        }
        ++at;
    }
    return dsn.size();
}

std::string redact_keywords(std::string_view dsn) {
    std::string shown;
    std::size_t at = 0;
    while (at < dsn.size()) {
        const std::size_t begin = at;
        while (at < dsn.size() && dsn[at] != '=' && !is_space(dsn[at])) {
            ++at;
        }
        const std::string_view keyword = dsn.substr(begin, at - begin);
        while (at < dsn.size() && is_space(dsn[at])) {
            ++at;
        }
        if (at == dsn.size() || dsn[at] != '=') {
            shown += dsn.substr(begin, at - begin);
            continue;
        }
        ++at;
        while (at < dsn.size() && is_space(dsn[at])) {
            ++at;
        }
        shown += dsn.substr(begin, at - begin);
        const std::size_t end = value_end(dsn, at);
        shown += is_secret(keyword) ? mask : dsn.substr(at, end - at);
        at = end;
    }
    return shown;
}

std::string redact_query(std::string_view query) {
    std::string shown;
    while (!query.empty()) {
        const std::size_t end = query.find_first_of("?&", 1);
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos && is_secret(pair.substr(1, equals - 1))) {
            shown += pair.substr(0, equals + 1);
            shown += mask;
        } else {
            shown += pair;
        }
        query.remove_prefix(pair.size());
    }
    return shown;
}

std::string redact_uri(std::string_view dsn, std::size_t authority) {
    const std::size_t query = std::min(dsn.find('?'), dsn.size());
    // A password may hold an unescaped '/', and libpq looks for the last '@' of the authority;
    // everything up to it is hidden, rather too much than too little.
    const std::string_view before = dsn.substr(0, query);
    const std::size_t at_sign = before.rfind('@');
    std::string shown;
    if (at_sign != std::string_view::npos && at_sign >= authority) {
        const std::size_t colon = before.find(':', authority);
        if (colon < at_sign) {
            shown += before.substr(0, colon + 1);
            shown += mask;
            shown += before.substr(at_sign);
        }
    }
    if (shown.empty()) {
        shown = before;
    }
    return shown + redact_query(dsn.substr(query));
}

}  // namespace

std::string redact_dsn(std::string_view dsn) {
    constexpr std::array<std::string_view, 2> schemes{"postgresql://", "postgres://"};
    for (const std::string_view scheme : schemes) {
        if (dsn.starts_with(scheme)) {
            return redact_uri(dsn, scheme.size());
        }
    }
    return redact_keywords(dsn);
}

}  // namespace veer::config
