#include "config/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace veer::config {

namespace {

constexpr unsigned address_bits = 128;
constexpr unsigned mapped_bits = 96;  // ::ffff:0:0/96 holds the IPv4 addresses
constexpr unsigned byte_bits = 8;

struct Address {
    std::array<std::uint8_t, 16> bytes{};
    bool four = false;
};

std::optional<Address> parse_address(std::string_view text) {
    const std::string copy(text);  // inet_pton wants a terminating zero
    Address address;
    if (copy.size() != text.size() || copy.find('\0') != std::string::npos) {
        return std::nullopt;
    }
    if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) {
        return address;
    }
    constexpr std::size_t mapped_bytes = mapped_bits / byte_bits;
    address.bytes = {};
    address.bytes[mapped_bytes - 2] = address.bytes[mapped_bytes - 1] = 0xFF;
    address.four = true;
    return inet_pton(AF_INET, copy.c_str(), address.bytes.data() + mapped_bytes) == 1
               ? std::optional(address)
               : std::nullopt;
}

/// The bits of byte `at` that belong to a prefix of `bits`.
std::uint8_t mask(unsigned bits, std::size_t at) {
    const auto begin = static_cast<unsigned>(at) * byte_bits;
    const unsigned inside = std::min(byte_bits, bits - std::min(bits, begin));
    return static_cast<std::uint8_t>(0xFFU << (byte_bits - inside));
}

}  // namespace

std::optional<Network> parse_network(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) {
        return std::nullopt;
    }
    Network network{.address = address->bytes};
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const unsigned before = address->four ? mapped_bits : 0;
        unsigned bits = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        if (error != std::errc{} || end != digits.data() + digits.size() ||
            bits > address_bits - before) {
            return std::nullopt;
        }
        network.bits = before + bits;
    }
    for (std::size_t i = 0; i < network.address.size(); ++i) {
        if ((network.address[i] & ~mask(network.bits, i)) != 0) {
            return std::nullopt;
        }
    }
    return network;
}

bool Network::contains(std::string_view numeric) const {
    // A link-local address names its interface behind a percent sign.
    const auto other = parse_address(numeric.substr(0, numeric.find('%')));
    if (!other) {
        return false;
    }
    for (std::size_t i = 0; i < address.size(); ++i) {
        if (((address[i] ^ other->bytes[i]) & mask(bits, i)) != 0) {
            return false;
        }
    }
    return true;
}

}  // namespace veer::config
