#include "proxy/auth/crypto.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace veer::proxy::auth {

using namespace std::string_literals;

namespace {

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        text += digits[static_cast<std::uint8_t>(byte) >> 4U];
        text += digits[static_cast<std::uint8_t>(byte) & 0xFU];
    }
    return text;
}

}  // namespace

TEST_CASE("Crypto gives what FIPS 180-4 and RFC 4231 print", "[proxy]") {
    CHECK(
        hex(sha256("abc").view()) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    CHECK(
        hex(hmac("Jefe", "what do ya want for nothing?").view()) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

TEST_CASE("Crypto writes and reads base64 as RFC 4648 prints it", "[proxy]") {
    for (const auto& [bytes, text] :
         {std::pair(""s, ""s),
          {"f", "Zg=="},
          {"fo", "Zm8="},
          {"foo", "Zm9v"},
          {"foob", "Zm9vYg=="},
          {"\xff\0\xfe"s, "/wD+"}}) {
        CHECK(base64(bytes) == text);
        CHECK(from_base64(text) == bytes);
    }
    for (const std::string wrong :
         {"Zg", "Zg=", "Zg===", "Zh==", "Z===", "====", "Zm9v\n", "Zm 9", "Zg==Zg==", "-_-_"}) {
        CAPTURE(wrong);
        CHECK_FALSE(from_base64(wrong).has_value());
    }
}

TEST_CASE("Crypto gives other random bytes each time", "[proxy]") {
    const auto first = random_bytes(16);
    const auto second = random_bytes(16);
    REQUIRE(first.has_value());
    CHECK(first->size() == 16);
    CHECK(first != second);
}

}  // namespace veer::proxy::auth
