#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::config {

/// A numeric address, IPv4 as ::ffff:a.b.c.d, or all that begin with the same bits.
struct Network {
    std::array<std::uint8_t, 16> address{};
    unsigned bits = 128;

    /// False for what is no address: a client's over a Unix socket has none.
    bool contains(std::string_view numeric) const;

    friend bool operator==(const Network&, const Network&) = default;
};

/// "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "::1". Nothing where bits behind the prefix are set,
/// as PostgreSQL's type cidr.
std::optional<Network> parse_network(std::string_view text);

}  // namespace veer::config
