#include "proxy/net/address.hpp"

#include <sys/un.h>

#include <cstring>

namespace veer::proxy::net {

bool operator==(const Address& a, const Address& b) {
    return a.bytes == b.bytes && std::memcmp(&a.storage, &b.storage, a.bytes) == 0;
}

std::optional<Address> unix_address(const Endpoint& endpoint) {
    const std::string path = endpoint.socket_path();
    sockaddr_un name{};
    if (path.size() >= sizeof name.sun_path) {
        return std::nullopt;
    }
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, path.size());
    Address address;
    std::memcpy(&address.storage, &name, sizeof name);
    address.bytes = sizeof name;
    return address;
}

}  // namespace veer::proxy::net
