#pragma once

#include "proxy/auth/scram_secret.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace veer::proxy::auth {

/// Users and their secrets, as in PgBouncer's auth_file (userlist.txt):
///
///     "alice" "SCRAM-SHA-256$4096:c2FsdA==$...:..."
///     ; a comment
///
/// "" inside quotes is one quote; whatever follows the second string is ignored. Only SCRAM secrets
/// are of use here: users with an MD5 hash or a plain password are counted, and are not known.
struct UserList {
    std::map<std::string, ScramSecret, std::less<>> secrets;
    std::size_t unusable = 0;
};

/// Where a line is none of the above.
struct UserListError {
    std::size_t line = 0;
};

boost::system::result<UserList, UserListError> parse_user_list(std::string_view text);

}  // namespace veer::proxy::auth
