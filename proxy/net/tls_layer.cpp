#include "proxy/net/tls_layer.hpp"

#include <openssl/crypto.h>

#include <utility>

namespace veer::proxy::net {

namespace {

/// More than one read gives; a thread gives larger memory back.
constexpr std::size_t kept_bytes_max = std::size_t{256} * 1024;

/// What all connections of a thread are opened into.
thread_local std::string opened_scratch;

std::string& emptied(std::string& scratch) {
    if (scratch.capacity() > kept_bytes_max) {
        std::string().swap(scratch);
    }
    scratch.clear();
    return scratch;
}

}  // namespace

std::string_view TlsLayer::opened(std::string_view from_socket) {
    if (!tls_) {
        return from_socket;
    }
    constexpr std::size_t part_bytes = std::size_t{16} * 1024;
    std::string& plaintext = emptied(opened_scratch);
    plaintext.reserve(kept_bytes_max / 2);  // of what would be moved a copy would stay behind
    tls_->feed(from_socket);
    for (;;) {
        const std::size_t before = plaintext.size();
        plaintext.resize(before + part_bytes);
        const std::size_t count = tls_->read(plaintext.data() + before, part_bytes);
        plaintext.resize(before + count);
        if (count == 0) {
            return plaintext;
        }
    }
}

void TlsLayer::wipe_opened() {
    if (tls_) {
        opened_scratch.resize(opened_scratch.capacity());
        OPENSSL_cleanse(opened_scratch.data(), opened_scratch.size());
        opened_scratch.clear();
    }
}

std::string_view TlsLayer::sealed(std::string_view plaintext) {
    if (!tls_) {
        return plaintext;
    }
    thread_local std::string scratch;
    std::string& ciphertext = emptied(scratch);
    tls_->write(plaintext);
    tls_->take(ciphertext);
    return ciphertext;
}

std::string_view TlsLayer::own_words() {
    if (!tls_) {
        return {};
    }
    return sealed({});
}

bool TlsLayer::ended() const {
    return tls_ && tls_->status() != Tls::Status::open;
}

void TlsLayer::close() {
    if (tls_ && !std::exchange(closed_, true)) {
        tls_->close();
    }
}

}  // namespace veer::proxy::net
