#include "proxy/security.hpp"

#include "storage/source/tls_options.hpp"

#include <spdlog/spdlog.h>

#include <fstream>
#include <iterator>
#include <memory>

namespace veer::proxy {

namespace {

using config::TlsMode;
using storage::source::SslMode;

net::TlsResult<std::shared_ptr<const net::ListenTls>> towards_clients(const config::Tls& tls) {
    const TlsMode mode = tls.effective_mode();
    net::ListenTls listen;
    if (mode != TlsMode::disable) {
        // An authority that nobody has to be signed by still is asked for: as in PgBouncer.
        auto context = net::TlsContext::for_clients(
            {.certificate = tls.cert, .key = tls.key, .authorities = tls.ca}
        );
        if (context.has_error()) {
            return net::TlsProblem{"[tls] " + context.error().message};
        }
        listen.context = *context;
        listen.options = {
            .encryption_offered = true,
            .encryption_required = mode >= TlsMode::require,
            .certificate_required = mode >= TlsMode::verify_ca,
            .certificate_names_user = mode == TlsMode::verify_full};
    }
    return std::make_shared<const net::ListenTls>(std::move(listen));
}

net::UpstreamTls::When when(SslMode mode) {
    switch (mode) {
        case SslMode::disable:
            return net::UpstreamTls::When::never;
        case SslMode::allow:
            return net::UpstreamTls::When::if_refused;
        case SslMode::prefer:
            return net::UpstreamTls::When::if_offered;
        case SslMode::require:
        case SslMode::verify_ca:
        case SslMode::verify_full:
            break;
    }
    return net::UpstreamTls::When::always;
}

net::TlsResult<net::UpstreamTls> towards_upstream(const std::string& dsn) {
    auto options = storage::source::parse_tls_options(dsn);
    if (!options.has_value()) {
        return net::TlsProblem{"[upstream] dsn: " + options.error().message};
    }
    net::UpstreamTls tls{
        .when = when(options->mode),
        .direct = options->direct,
        .server_name = options->server_name,
        .verify_host = options->mode == SslMode::verify_full};
    if (options->mode == SslMode::disable) {
        return tls;
    }
    net::ClientTlsFiles files{
        .authorities = options->authorities,
        .system_authorities = options->system_authorities,
        .certificate = options->certificate,
        .key = options->key,
        .key_password = options->key_password,
        .revoked = options->revoked};
    auto context = net::TlsContext::for_upstream(files);
    auth::wipe(files.key_password);
    auth::wipe(options->key_password);
    if (context.has_error()) {
        return net::TlsProblem{"[upstream] dsn: " + context.error().message};
    }
    tls.context = *context;
    return tls;
}

/// Secret, and the same after a restart, so that a user who is not known looks the same as well:
/// the certificate's key is both, and it is there wherever veer ends SCRAM.
std::string mock_secret(const std::string& key_file) {
    std::ifstream stream(key_file, std::ios::binary);
    std::string key(std::istreambuf_iterator<char>(stream), {});
    std::string secret(auth::hmac(key, "veer mock authentication").view());
    auth::wipe(key);
    return secret;
}

}  // namespace

std::string apply_security(
    const config::Config& config, SecretStore& secrets, net::SecurityPolicy& policy
) {
    auto listen = towards_clients(config.tls);
    if (listen.has_error()) {
        return listen.error().message;
    }
    auto upstream = towards_upstream(config.upstream.dsn);
    if (upstream.has_error()) {
        return upstream.error().message;
    }
    if (std::string problem = secrets.configure(config.auth); !problem.empty()) {
        return problem;
    }
    net::Security security;
    security.listen = *listen;
    security.upstream = *upstream;
    security.warn = [](const std::string& message) {
        spdlog::warn("{}", message);
    };
    if (secrets.configured() && (*listen)->context) {
        security.mock_secret = mock_secret(config.tls.key);
        security.secrets = [&secrets](const std::string& user, const net::Security::Done& done) {
            secrets.look_up(user, done);
        };
    }
    policy.set(std::move(security));
    return {};
}

}  // namespace veer::proxy
