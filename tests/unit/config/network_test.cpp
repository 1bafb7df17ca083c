#include "config/network.hpp"

#include <catch2/catch_test_macros.hpp>

using veer::config::parse_network;

TEST_CASE("A network holds the addresses that begin with its bits", "[config]") {
    CHECK(parse_network("10.1.0.0/16")->contains("10.1.255.3"));
    CHECK_FALSE(parse_network("10.1.0.0/16")->contains("10.2.0.1"));
    CHECK(parse_network("10.1.2.3")->contains("10.1.2.3"));
    CHECK_FALSE(parse_network("10.1.2.3")->contains("10.1.2.4"));
    CHECK(parse_network("10.1.2.2/31")->contains("10.1.2.3"));
    CHECK_FALSE(parse_network("10.1.2.2/31")->contains("10.1.2.4"));
    CHECK(parse_network("2001:db8::/32")->contains("2001:db8:1::5"));
    CHECK_FALSE(parse_network("2001:db8::/32")->contains("2001:db9::5"));
    CHECK(parse_network("fe80::/10")->contains("fe80::1%eth0"));
    CHECK(parse_network("::/0")->contains("10.0.0.1"));
    CHECK(parse_network("10.0.0.0/8")->contains("::ffff:10.0.0.1"));  // as a dual socket says it
    CHECK_FALSE(parse_network("0.0.0.0/0")->contains("::1"));
}

TEST_CASE("A client without an address is in no network", "[config]") {
    CHECK_FALSE(parse_network("::/0")->contains(""));
    CHECK_FALSE(parse_network("::/0")->contains("/run/veer"));
}

TEST_CASE("What is no network is refused", "[config]") {
    for (const auto* text :
         {"",
          "10.1.0.0/33",
          "10.1.0.0/",
          "10.1.0.0/-1",
          "10.1.0.0/8x",
          "10.1/16",
          "10.1.2.3/16",  // bits behind the prefix
          "::1/127",
          "localhost",
          "::/129"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_network(text));
    }
}
