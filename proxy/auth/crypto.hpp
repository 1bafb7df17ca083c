#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::proxy::auth {

/// The few primitives that SCRAM needs, over OpenSSL's libcrypto.

/// A SHA-256 hash, or a key of that size. Wiped when it goes.
class Key {
  public:
    static constexpr std::size_t size = 32;

    Key() = default;
    Key(const Key&) = default;
    Key(Key&&) = default;
    Key& operator=(const Key&) = default;
    Key& operator=(Key&&) = default;
    ~Key();

    /// Requires bytes.size() == size.
    static Key from(std::string_view bytes);

    std::string_view view() const {
        return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
    }

    Key& operator^=(const Key& other);

    /// In a time that does not depend on where they differ.
    friend bool operator==(const Key& left, const Key& right);

  private:
    friend Key sha256(std::string_view text);
    friend Key hmac(std::string_view key, std::string_view text);

    std::array<unsigned char, size> bytes_{};
};

Key sha256(std::string_view text);
Key hmac(std::string_view key, std::string_view text);

/// Bytes that nobody can guess; empty where the system has none, and then nothing may go on.
std::optional<std::string> random_bytes(std::size_t count);

std::string base64(std::string_view bytes);

/// Two digits a byte, small letters.
std::string hexadecimal(std::string_view bytes);

/// Empty where it is not canonical base64 (RFC 4648, section 4).
std::optional<std::string> from_base64(std::string_view text);

/// Overwrites what a string held, and empties it.
void wipe(std::string& secret);

/// Overwrites what is left of longer texts in the same memory; the text stays.
void wipe_spare(std::string& text);

/// Overwrites its first `count` bytes, then cuts them off.
void wipe_front(std::string& secret, std::size_t count);

}  // namespace veer::proxy::auth
