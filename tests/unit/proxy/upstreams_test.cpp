#include "proxy/net/upstreams.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace veer::proxy::net {

namespace {

const Upstreams::Clock::time_point start{};

/// The names of the hosts in the order to try, one letter each; p primary, s standby, r read-only
/// by default, x unreachable, ? not yet looked at, u not to be read.
std::string order(const std::string& roles, TargetSessionAttrs wanted) {
    std::vector<Endpoint> hosts;
    for (const char role : roles) {
        hosts.push_back({.host = std::string(1, role)});
    }
    Upstreams upstreams(hosts, wanted, false);
    for (const Endpoint& host : hosts) {
        switch (host.host.front()) {
            case 'p':
                upstreams.note_role(host, HostRole::primary);
                break;
            case 's':
                upstreams.note_role(host, HostRole::standby);
                break;
            case 'r':
                upstreams.note_role(host, HostRole::read_only);
                break;
            case 'x':
                upstreams.note_role(host, HostRole::unreachable);
                break;
            case 'u':
                upstreams.note_role(host, HostRole::unreadable);
                break;
            default:
                break;
        }
    }
    std::string names;
    for (const Endpoint& host : upstreams.candidates(start)) {
        names += host.host;
    }
    return names;
}

}  // namespace

TEST_CASE("each of libpq's target_session_attrs takes the hosts that it names", "[proxy]") {
    CHECK(order("?sprx", TargetSessionAttrs::any) == "?sprx");
    CHECK(order("?sprx", TargetSessionAttrs::read_write) == "p");
    CHECK(order("?sprx", TargetSessionAttrs::read_only) == "sr");
    CHECK(order("?sprx", TargetSessionAttrs::primary) == "pr");
    CHECK(order("?psrx", TargetSessionAttrs::standby) == "s");
    CHECK(order("?prsx", TargetSessionAttrs::prefer_standby) == "spr");
    CHECK(order("?prx", TargetSessionAttrs::prefer_standby).empty());
    CHECK(order("prx", TargetSessionAttrs::prefer_standby) == "pr");
}

TEST_CASE("a host that does not tell its role is the last resort", "[proxy]") {
    CHECK(order("up", TargetSessionAttrs::read_write) == "pu");
    CHECK(order("us", TargetSessionAttrs::read_write) == "u");
}

TEST_CASE("a host that did not take a connection is tried last, for a while", "[proxy]") {
    const Endpoint first{.host = "a"};
    const Endpoint second{.host = "b"};
    Upstreams upstreams({first, second}, TargetSessionAttrs::any, false);
    upstreams.note_failure(first, start);
    CHECK(upstreams.candidates(start) == std::vector{second, first});
    CHECK(upstreams.candidates(start + Upstreams::avoided_for) == std::vector{first, second});
}

TEST_CASE("who waits for a role is told once, of the next look", "[proxy]") {
    const Endpoint host{.host = "a"};
    Upstreams upstreams({host}, TargetSessionAttrs::primary, false);
    int told = 0;
    upstreams.await_look([&] { ++told; });
    CHECK(told == 0);
    upstreams.note_role(host, HostRole::primary);
    upstreams.note_role(host, HostRole::standby);
    CHECK(told == 1);
}

TEST_CASE("load_balance_hosts takes hosts in any order, but all of them", "[proxy]") {
    std::vector<Endpoint> hosts;
    for (std::uint16_t port = 1; port <= 8; ++port) {
        hosts.push_back({.host = "a", .port = port});
    }
    Upstreams upstreams(hosts, TargetSessionAttrs::any, true);
    bool varied = false;
    for (int i = 0; i < 50; ++i) {
        const auto candidates = upstreams.candidates(start);
        CHECK(candidates.size() == hosts.size());
        varied = varied || candidates.front() != hosts.front();
    }
    CHECK(varied);
}

}  // namespace veer::proxy::net
