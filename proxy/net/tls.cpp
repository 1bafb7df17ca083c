#include "proxy/net/tls.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace veer::proxy::net {

namespace {

struct FreeCertificate {
    void operator()(X509* certificate) const { X509_free(certificate); }
};

using Certificate = std::unique_ptr<X509, FreeCertificate>;

int bounded(std::size_t size) {
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
    return static_cast<int>(std::min(size, most));
}

}  // namespace

void Tls::Free::operator()(ssl_st* ssl) const {
    SSL_free(ssl);
}

Tls::Tls(std::shared_ptr<const TlsContext> context, bool server)
    : context_(std::move(context)), ssl_(SSL_new(context_->raw())), server_(server) {
    BIO* const in = BIO_new(BIO_s_mem());
    BIO* const out = BIO_new(BIO_s_mem());
    if (ssl_ == nullptr || in == nullptr || out == nullptr) {
        BIO_free(in);
        BIO_free(out);
        ssl_.reset();
        fail("out of memory");
        return;
    }
    // Empty means "later", not "the end".
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(ssl_.get(), in, out);
    if (server) {
        SSL_set_accept_state(ssl_.get());
    } else {
        SSL_set_connect_state(ssl_.get());
    }
}

Tls Tls::accept(std::shared_ptr<const TlsContext> context) {
    return {std::move(context), true};
}

Tls Tls::connect(std::shared_ptr<const TlsContext> context, const std::string& server_name) {
    Tls made(std::move(context), false);
    if (made.ssl_ != nullptr && !server_name.empty() &&
        SSL_set_tlsext_host_name(made.ssl_.get(), server_name.c_str()) != 1) {
        made.fail("could not set the server name");
    }
    return made;
}

void Tls::fail(const std::string& fallback) {
    problem_ = take_tls_error(fallback);
    if (ssl_ != nullptr && SSL_get_verify_result(ssl_.get()) != X509_V_OK) {
        problem_ += ": ";
        problem_ += X509_verify_cert_error_string(SSL_get_verify_result(ssl_.get()));
    }
    status_ = Status::failed;
}

void Tls::note_result(int result, const std::string& fallback) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            break;
        case SSL_ERROR_ZERO_RETURN:
            status_ = Status::closed;
            break;
        default:
            fail(fallback);
    }
}

void Tls::feed(std::string_view ciphertext) {
    if (status_ == Status::failed) {
        return;
    }
    BIO* const in = SSL_get_rbio(ssl_.get());
    if (BIO_ctrl_pending(in) + ciphertext.size() > input_bytes_max) {
        fail("more ciphertext than can be kept");
        return;
    }
    ERR_clear_error();
    if (!ciphertext.empty() && BIO_write(in, ciphertext.data(), bounded(ciphertext.size())) !=
                                   bounded(ciphertext.size())) {
        fail("out of memory");
        return;
    }
    shake_hands();
}

void Tls::shake_hands() {
    if (status_ != Status::handshaking) {
        return;
    }
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
        status_ = Status::open;
    } else {
        note_result(result, "the handshake failed");
    }
}

std::size_t Tls::read(char* to, std::size_t room) {
    if (status_ != Status::open) {
        return 0;
    }
    ERR_clear_error();
    const int count = SSL_read(ssl_.get(), to, bounded(room));
    if (count > 0) {
        return static_cast<std::size_t>(count);
    }
    note_result(count, "the connection is broken");
    return 0;
}

void Tls::write(std::string_view plaintext) {
    while (!plaintext.empty() && (status_ == Status::open || status_ == Status::closed)) {
        ERR_clear_error();
        const int count = SSL_write(ssl_.get(), plaintext.data(), bounded(plaintext.size()));
        if (count <= 0) {
            fail("could not encrypt");
            return;
        }
        plaintext.remove_prefix(static_cast<std::size_t>(count));
    }
}

void Tls::close() {
    if (status_ == Status::open || status_ == Status::closed) {
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }
}

void Tls::take(std::string& out) {
    if (ssl_ == nullptr) {
        return;
    }
    BIO* const from = SSL_get_wbio(ssl_.get());
    const std::size_t pending = BIO_ctrl_pending(from);
    if (pending == 0) {
        return;
    }
    const std::size_t before = out.size();
    out.resize(before + pending);
    const int taken = BIO_read(from, out.data() + before, bounded(pending));
    out.resize(before + static_cast<std::size_t>(std::max(taken, 0)));
}

std::string Tls::protocol() const {
    const unsigned char* name = nullptr;
    unsigned int size = 0;
    if (ssl_ != nullptr) {
        SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    }
    return name == nullptr ? "" : std::string(reinterpret_cast<const char*>(name), size);
}

bool Tls::has_peer_certificate() const {
    const Certificate certificate(
        ssl_ == nullptr ? nullptr : SSL_get1_peer_certificate(ssl_.get())
    );
    return certificate != nullptr;
}

std::string Tls::peer_common_name() const {
    const Certificate certificate(
        ssl_ == nullptr ? nullptr : SSL_get1_peer_certificate(ssl_.get())
    );
    if (certificate == nullptr || !context_->verifies_peer()) {
        return {};
    }
    const X509_NAME* const subject = X509_get_subject_name(certificate.get());
    const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (place < 0) {
        return {};
    }
    unsigned char* utf8 = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
    if (size < 0) {
        ERR_clear_error();
        return {};
    }
    std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return name.find('\0') == std::string::npos ? name : "";
}

bool Tls::peer_is(const std::string& host) const {
    const Certificate certificate(
        ssl_ == nullptr ? nullptr : SSL_get1_peer_certificate(ssl_.get())
    );
    if (certificate == nullptr || host.empty()) {
        return false;
    }
    if (is_ip_address(host) && X509_check_ip_asc(certificate.get(), host.c_str(), 0) == 1) {
        return true;
    }
    return X509_check_host(
               certificate.get(),
               host.data(),
               host.size(),
               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
               nullptr
           ) == 1;
}

std::string Tls::endpoint_hash() const {
    if (server_) {
        return context_->endpoint_hash();
    }
    const Certificate certificate(
        ssl_ == nullptr ? nullptr : SSL_get1_peer_certificate(ssl_.get())
    );
    return endpoint_hash_of(certificate.get());
}

std::string Tls::version() const {
    return ssl_ == nullptr ? "" : SSL_get_version(ssl_.get());
}

bool is_ip_address(const std::string& host) {
    in6_addr address{};
    return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
           inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace veer::proxy::net
