#include "proxy/admin/access.hpp"

#include "proxy/auth/user_list.hpp"

#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

namespace veer::proxy::admin {

namespace {

constexpr std::size_t file_bytes_max = std::size_t{1} << 20U;

/// "alice, bob" as PgBouncer writes it.
void add_users(std::string_view list, Role role, Access& access) {
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        std::string_view name = list.substr(0, comma);
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        const std::size_t begin = name.find_first_not_of(" \t");
        if (begin != std::string_view::npos) {
            name = name.substr(begin, name.find_last_not_of(" \t") + 1 - begin);
            access.users.emplace(name, role);  // who is in both lists is an operator: listed first
        }
    }
}

}  // namespace

boost::system::result<std::shared_ptr<const Access>, std::string> load_access(
    const config::Admin& admin, std::string mock_secret
) {
    auto access = std::make_shared<Access>();
    access->database = admin.database;
    access->mock_secret = std::move(mock_secret);
    add_users(admin.users, Role::owner, *access);
    add_users(admin.readonly_users, Role::reader, *access);
    if (!admin.file.empty()) {
        std::ifstream stream(admin.file, std::ios::binary);
        std::string text(std::istreambuf_iterator<char>(stream), {});
        auto list = auth::parse_user_list(text);
        const bool readable = stream && text.size() <= file_bytes_max;
        auth::wipe(text);
        if (!readable) {
            return "[admin] file " + admin.file + " cannot be read";
        }
        if (list.has_error()) {
            return "[admin] file " + admin.file + ", line " + std::to_string(list.error().line) +
                   ": not a user and a secret in quotes";
        }
        access->secrets = std::move(list->secrets);
    }
    for (const auto& [name, role] : access->users) {
        if (!access->secrets.contains(name)) {
            return "[admin] file has no SCRAM secret for user " + name;
        }
    }
    return std::shared_ptr<const Access>(std::move(access));
}

Entry entry_of(const Access& access, const Peer& peer) {
    if (peer.local && peer.owner) {
        return Entry::owner;
    }
    if (access.users.empty() && (peer.local || peer.loopback)) {
        return Entry::reader;
    }
    return Entry::password;
}

}  // namespace veer::proxy::admin
