#include "proxy/auth/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>

namespace veer::proxy::auth {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const unsigned char* unsigned_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Key::~Key() {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

Key Key::from(std::string_view bytes) {
    Key key;
    std::copy_n(unsigned_bytes(bytes), std::min(bytes.size(), size), key.bytes_.begin());
    return key;
}

Key& Key::operator^=(const Key& other) {
    for (std::size_t i = 0; i < size; ++i) {
        bytes_[i] = static_cast<unsigned char>(bytes_[i] ^ other.bytes_[i]);
    }
    return *this;
}

bool operator==(const Key& left, const Key& right) {
    return CRYPTO_memcmp(left.bytes_.data(), right.bytes_.data(), Key::size) == 0;
}

Key sha256(std::string_view text) {
    Key hash;
    SHA256(unsigned_bytes(text), text.size(), hash.bytes_.data());
    return hash;
}

Key hmac(std::string_view key, std::string_view text) {
    Key hash;
    unsigned int size = 0;
    HMAC(
        EVP_sha256(),
        key.data(),
        static_cast<int>(key.size()),
        unsigned_bytes(text),
        text.size(),
        hash.bytes_.data(),
        &size
    );
    return hash;
}

std::optional<std::string> random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
        return std::nullopt;
    }
    return bytes;
}

std::string base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t group = 0;
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
        for (std::size_t i = 0; i < 3; ++i) {
            group = (group << 8U) | (i < count ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            text += i <= count ? alphabet[(group >> (18 - 6 * i)) & 0x3FU] : '=';
        }
    }
    return text;
}

std::string hexadecimal(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += digits[byte >> 4U];
        text += digits[byte & 0xfU];
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string_view digits = text;
    while (digits.ends_with('=')) {
        digits.remove_suffix(1);
    }
    std::string bytes;
    bytes.reserve(digits.size() / 4 * 3 + 2);
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (const char letter : digits) {
        const std::size_t value = alphabet.find(letter);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        group = (group << 6U) | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>((group >> bits) & 0xFFU);
        }
    }
    // Padding, stray bits and all: there is one way only to write the same bytes.
    return base64(bytes) == text ? std::optional(std::move(bytes)) : std::nullopt;
}

void wipe(std::string& secret) {
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

void wipe_spare(std::string& text) {
    const std::size_t size = text.size();
    text.resize(text.capacity());
    OPENSSL_cleanse(text.data() + size, text.size() - size);
    text.resize(size);
}

void wipe_front(std::string& secret, std::size_t count) {
    OPENSSL_cleanse(secret.data(), std::min(count, secret.size()));
    secret.erase(0, count);
    wipe_spare(secret);  // what has moved to the front is still behind it
}

}  // namespace veer::proxy::auth
