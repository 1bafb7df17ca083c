#pragma once

#include "config/config.hpp"
#include "proxy/admin/console.hpp"
#include "proxy/auth/scram_secret.hpp"

#include <boost/system/result.hpp>

#include <map>
#include <memory>
#include <string>

namespace veer::proxy::admin {

/// Who may come to the console, of one configuration.
struct Access {
    std::string database;  ///< empty: none, all databases are the upstream's
    std::map<std::string, Role, std::less<>> users;
    std::map<std::string, auth::ScramSecret, std::less<>> secrets;
    std::string mock_secret;  ///< for users who are not known; nobody outside may know it
};

/// Reads [admin] and the file of secrets that it names; fails with a sentence.
boost::system::result<std::shared_ptr<const Access>, std::string> load_access(
    const config::Admin& admin, std::string mock_secret
);

/// From where somebody comes, as far as the socket tells.
struct Peer {
    bool local = false;     ///< by the socket in veer's data directory
    bool owner = false;     ///< and has veer's own user id, or root's
    bool loopback = false;  ///< by TCP, from this machine
};

/// What a login has to prove.
enum class Entry : std::uint8_t {
    owner,     ///< nothing: the operating system has vouched for it
    reader,    ///< nothing, and may look only
    password,  ///< SCRAM; known users get in
};

/// The socket in the data directory belongs to the user that veer runs as, who may do everything.
/// By TCP a listed user proves a password; where no user is listed at all, whoever is on this
/// machine may look.
Entry entry_of(const Access& access, const Peer& peer);

}  // namespace veer::proxy::admin
