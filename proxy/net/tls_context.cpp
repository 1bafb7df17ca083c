#include "proxy/net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace veer::proxy::net {

namespace {

constexpr std::array<unsigned char, 11> alpn_offered{
    10, 'p', 'o', 's', 't', 'g', 'r', 'e', 's', 'q', 'l'};
constexpr long record_bytes_max = 8192;  // libpq's asynchronous users hang on longer ones

TlsProblem cannot_load(const char* what, const std::string& file) {
    return {
        std::string("could not load ") + what + " file \"" + file +
        "\": " + take_tls_error("no reason given")};
}

/// Postgres' rule: owned by this user and closed to all others, or owned by root and open to its
/// group for reading (manual 19.9.1).
TlsResult<void> check_key_file(const std::string& file) {
    struct stat status {};

    if (stat(file.c_str(), &status) != 0) {
        return TlsProblem{
            "could not access private key file \"" + file + "\": " + std::strerror(errno)};
    }
    if (!S_ISREG(status.st_mode)) {
        return TlsProblem{"private key file \"" + file + "\" is not a regular file"};
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        return TlsProblem{
            "private key file \"" + file + "\" must be owned by the user of veer or by root"};
    }
    // Where veer runs as root, root is also "this user", and as in Postgres the stricter rule
    // holds.
    const mode_t forbidden =
        status.st_uid == geteuid() ? S_IRWXG | S_IRWXO : S_IWGRP | S_IXGRP | S_IRWXO;
    if ((status.st_mode & forbidden) != 0) {
        return TlsProblem{
            "private key file \"" + file +
            "\" has group or world access: it must have permissions u=rw (0600) or less if owned "
            "by the user of veer, or u=rw,g=r (0640) or less if owned by root"};
    }
    return {};
}

/// Never asks at the terminal, which is what OpenSSL does by itself.
int give_password(char* buffer, int size, int, void* password) {
    const auto* text = static_cast<const std::string*>(password);
    if (text == nullptr || text->empty() || text->size() > static_cast<std::size_t>(size)) {
        return 0;
    }
    std::copy(text->begin(), text->end(), buffer);
    return static_cast<int>(text->size());
}

TlsResult<void> load_certificate_and_key(
    ssl_ctx_st* context,
    const std::string& certificate,
    const std::string& key,
    const std::string& key_password
) {
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
        return cannot_load("certificate", certificate);
    }
    if (const auto allowed = check_key_file(key); allowed.has_error()) {
        return allowed.error();
    }
    std::string password = key_password;
    SSL_CTX_set_default_passwd_cb(context, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, &password);
    const int loaded = SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
    OPENSSL_cleanse(password.data(), password.size());
    if (loaded != 1) {
        return cannot_load("private key", key);
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        return TlsProblem{
            "private key file \"" + key + "\" does not belong to certificate file \"" +
            certificate + "\": " + take_tls_error("no reason given")};
    }
    return {};
}

void apply_rules(ssl_ctx_st* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(
        context,
        SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
            SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_CLEANSE_PLAINTEXT
    );
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_send_fragment(context, record_bytes_max);
    // An idle connection keeps no record buffers.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
}

/// A client that names protocols must name ours; one that names none is judged by its owner.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in, unsigned int in_length, void*) {
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(
            &chosen, out_length, alpn_offered.data(), alpn_offered.size(), in, in_length
        ) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

TlsResult<void> trust(ssl_ctx_st* context, const std::string& authorities) {
    ERR_clear_error();
    if (SSL_CTX_load_verify_locations(context, authorities.c_str(), nullptr) != 1) {
        return cannot_load("root certificate", authorities);
    }
    return {};
}

TlsResult<void> refuse_revoked(ssl_ctx_st* context, const std::string& revoked) {
    ERR_clear_error();
    X509_STORE* const store = SSL_CTX_get_cert_store(context);
    if (X509_STORE_load_locations(store, revoked.c_str(), nullptr) != 1) {
        return cannot_load("certificate revocation list", revoked);
    }
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return {};
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
    SSL_CTX_free(context);
}

TlsContext::TlsContext(ssl_ctx_st* context) : context_(context) {}

TlsResult<std::shared_ptr<const TlsContext>> TlsContext::for_clients(const ServerTlsFiles& files) {
    const std::shared_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_server_method())));
    if (made->raw() == nullptr) {
        return TlsProblem{take_tls_error("out of memory")};
    }
    apply_rules(made->raw());
    SSL_CTX_set_alpn_select_cb(made->raw(), select_protocol, nullptr);
    if (const auto loaded = load_certificate_and_key(made->raw(), files.certificate, files.key, {});
        loaded.has_error()) {
        return loaded.error();
    }
    made->endpoint_hash_ = endpoint_hash_of(SSL_CTX_get0_certificate(made->raw()));
    if (!files.authorities.empty()) {
        if (const auto trusted = trust(made->raw(), files.authorities); trusted.has_error()) {
            return trusted.error();
        }
        SSL_CTX_set_client_CA_list(made->raw(), SSL_load_client_CA_file(files.authorities.c_str()));
        // As Postgres does: a bad certificate ends the handshake, a missing one is told as an
        // error message.
        SSL_CTX_set_verify(made->raw(), SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
        made->verifies_peer_ = true;
    }
    return std::shared_ptr<const TlsContext>(made);
}

TlsResult<std::shared_ptr<const TlsContext>> TlsContext::for_upstream(const ClientTlsFiles& files) {
    const std::shared_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_client_method())));
    if (made->raw() == nullptr) {
        return TlsProblem{take_tls_error("out of memory")};
    }
    apply_rules(made->raw());
    SSL_CTX_set_alpn_protos(made->raw(), alpn_offered.data(), alpn_offered.size());
    made->verifies_peer_ = files.system_authorities || !files.authorities.empty();
    if (files.system_authorities) {
        if (SSL_CTX_set_default_verify_paths(made->raw()) != 1) {
            return TlsProblem{
                "could not load system root certificate paths: " +
                take_tls_error("no reason given")};
        }
    } else if (!files.authorities.empty()) {
        if (const auto trusted = trust(made->raw(), files.authorities); trusted.has_error()) {
            return trusted.error();
        }
    }
    if (made->verifies_peer_) {
        SSL_CTX_set_verify(made->raw(), SSL_VERIFY_PEER, nullptr);
    }
    if (made->verifies_peer_ && !files.revoked.empty()) {
        if (const auto loaded = refuse_revoked(made->raw(), files.revoked); loaded.has_error()) {
            return loaded.error();
        }
    }
    if (!files.certificate.empty()) {
        if (const auto loaded = load_certificate_and_key(
                made->raw(), files.certificate, files.key, files.key_password
            );
            loaded.has_error()) {
            return loaded.error();
        }
    }
    return std::shared_ptr<const TlsContext>(made);
}

std::string endpoint_hash_of(x509_st* certificate) {
    int digest_nid = NID_undef;
    if (certificate == nullptr ||
        X509_get_signature_info(certificate, &digest_nid, nullptr, nullptr, nullptr) != 1 ||
        digest_nid == NID_undef) {
        ERR_clear_error();
        return {};
    }
    const EVP_MD* digest = EVP_get_digestbynid(digest_nid);
    if (digest_nid == NID_md5 || digest_nid == NID_sha1) {
        digest = EVP_sha256();
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned int size = 0;
    if (digest == nullptr || X509_digest(certificate, digest, hash.data(), &size) != 1) {
        ERR_clear_error();
        return {};
    }
    return {reinterpret_cast<const char*>(hash.data()), size};
}

std::string take_tls_error(const std::string& fallback) {
    const unsigned long code = ERR_get_error();
    if (code == 0) {
        return fallback;
    }
    std::string text;
    if (const char* const reason = ERR_reason_error_string(code)) {
        text = reason;
    } else if (ERR_SYSTEM_ERROR(code)) {
        text = std::strerror(static_cast<int>(ERR_GET_REASON(code)));
    } else {
        text = "SSL error code " + std::to_string(code);
    }
    ERR_clear_error();
    return text;
}

}  // namespace veer::proxy::net
