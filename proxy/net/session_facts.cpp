#include "proxy/net/session_facts.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>

namespace veer::proxy::net {

NumericAddress peer_of(int descriptor) {
    sockaddr_storage name{};
    socklen_t bytes = sizeof name;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&name), &bytes) != 0) {
        return {};
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (name.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(name);
        inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        return {
            .text = text.data(),
            .port = ntohs(v4.sin_port),
            .loopback = (ntohl(v4.sin_addr.s_addr) >> 24U) == 127};
    }
    if (name.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(name);
        inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127;
        return {
            .text = text.data(),
            .port = ntohs(v6.sin6_port),
            .loopback = mapped || IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr)};
    }
    return {};
}

bool peer_is_owner(int descriptor) {
    ucred peer{};
    socklen_t bytes = sizeof peer;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

}  // namespace veer::proxy::net
