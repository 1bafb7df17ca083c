#include "proxy/auth/user_list.hpp"

#include <algorithm>
#include <optional>

namespace veer::proxy::auth {

namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

void skip_spaces(std::string_view& line) {
    while (!line.empty() && is_space(line.front())) {
        line.remove_prefix(1);
    }
}

std::optional<std::string> take_quoted(std::string_view& line) {
    skip_spaces(line);
    if (!line.starts_with('"')) {
        return std::nullopt;
    }
    std::string text;
    for (std::size_t at = 1; at < line.size(); ++at) {
        if (line[at] != '"') {
            text += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
            text += '"';
            ++at;
        } else {
            line.remove_prefix(at + 1);
            return text;
        }
    }
    return std::nullopt;
}

}  // namespace

boost::system::result<UserList, UserListError> parse_user_list(std::string_view text) {
    UserList list;
    for (std::size_t number = 1; !text.empty(); ++number) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        skip_spaces(line);
        if (line.empty() || line.front() == ';') {
            continue;
        }
        const auto user = take_quoted(line);
        auto secret = user ? take_quoted(line) : std::nullopt;
        if (!secret || user->empty()) {
            return UserListError{.line = number};
        }
        if (auto parsed = parse_scram_secret(*secret)) {
            list.secrets.insert_or_assign(*user, *std::move(parsed));
        } else {
            ++list.unusable;
        }
        wipe(*secret);
    }
    return list;
}

}  // namespace veer::proxy::auth
