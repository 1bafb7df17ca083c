#include "storage/source/tls_options.hpp"

#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

namespace veer::storage::source {

namespace {

struct FreeOptions {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;
using Values = std::map<std::string, std::string>;

constexpr int libpq_with_system_roots = 160000;

bool is_space(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

bool is_uri(const std::string& dsn) {
    return dsn.starts_with("postgresql://") || dsn.starts_with("postgres://");
}

/// Where the value that starts at `at` ends, by libpq's rules; `value` is what it means.
std::size_t read_value(const std::string& dsn, std::size_t at, std::string& value) {
    const bool quoted = at < dsn.size() && dsn[at] == '\'';
    value.clear();
    for (at += quoted ? 1 : 0; at < dsn.size(); ++at) {
        if (dsn[at] == '\\' && at + 1 < dsn.size()) {
            ++at;
        } else if (quoted && dsn[at] == '\'') {
            return at + 1;
        } else if (!quoted && is_space(dsn[at])) {
            return at;
        }
        value += dsn[at];
    }
    return at;
}

std::string take_from_keywords(std::string& dsn, const std::string& keyword) {
    std::string taken;
    std::string value;
    std::size_t at = 0;
    while (at < dsn.size()) {
        const std::size_t begin = at;
        while (at < dsn.size() && dsn[at] != '=' && !is_space(dsn[at])) {
            ++at;
        }
        const bool ours =
            at - begin == keyword.size() && dsn.compare(begin, at - begin, keyword) == 0;
        while (at < dsn.size() && is_space(dsn[at])) {
            ++at;
        }
        if (at == dsn.size() || dsn[at] != '=') {
            at = std::max(at, begin + 1);  // libpq shall complain of it
            continue;
        }
        ++at;
        while (at < dsn.size() && is_space(dsn[at])) {
            ++at;
        }
        at = read_value(dsn, at, value);
        if (ours) {
            taken = value;
            dsn.erase(begin, at - begin);
            at = begin;
        }
    }
    return taken;
}

std::string take_from_uri(std::string& dsn, const std::string& keyword) {
    std::string taken;
    const std::size_t query = dsn.find('?');
    if (query == std::string::npos) {
        return taken;
    }
    const std::string list = dsn.substr(query + 1);
    std::string kept;
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t end = std::min(list.find('&', at), list.size());
        const std::string pair = list.substr(at, end - at);
        if (pair.starts_with(keyword + '=')) {
            taken = pair.substr(keyword.size() + 1);
        } else if (!pair.empty()) {
            kept += (kept.empty() ? "" : "&") + pair;
        }
        at = end + 1;
    }
    dsn = dsn.substr(0, query) + (kept.empty() ? "" : "?" + kept);
    return taken;
}

void take_values(const Options& options, Values& values) {
    for (const PQconninfoOption* option = options.get();
         option != nullptr && option->keyword != nullptr;
         ++option) {
        if (option->val != nullptr && *option->val != '\0') {
            values[option->keyword] = option->val;
        }
    }
}

bool libpq_knows(std::string_view keyword) {
    const Options defaults(PQconndefaults());
    for (const PQconninfoOption* option = defaults.get();
         option != nullptr && option->keyword != nullptr;
         ++option) {
        if (option->keyword == keyword) {
            return true;
        }
    }
    return false;
}

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// A file in ~/.postgresql, or nothing where there is none.
std::string default_file(const char* name) {
    std::string home = environment("HOME");
    if (const passwd* const user = home.empty() ? getpwuid(geteuid()) : nullptr) {
        home = user->pw_dir;
    }
    const std::string file = home + "/.postgresql/" + name;
    std::error_code ignored;
    return !home.empty() && std::filesystem::exists(file, ignored) ? file : "";
}

Error wrong(const std::string& message) {
    return {Errc::unexpected, message + "."};
}

Result<SslMode> mode_named(const std::string& name) {
    constexpr std::array<std::string_view, 6> names{
        "disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
    const auto* const found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
        return wrong("invalid sslmode value: \"" + name + "\"");
    }
    return static_cast<SslMode>(found - names.begin());
}

std::string or_default(const Values& values, const char* keyword, const char* file) {
    const auto found = values.find(keyword);
    return found == values.end() ? default_file(file) : found->second;
}

Result<void> choose_authorities(const Values& values, bool mode_given, TlsOptions& options) {
    const auto given = values.find("sslrootcert");
    if (given != values.end() && given->second == "system") {
        if (mode_given && options.mode != SslMode::verify_full) {
            return wrong(
                "weak sslmode \"" + values.at("sslmode") +
                "\" may not be used with sslrootcert=system (use \"verify-full\")"
            );
        }
        options.mode = SslMode::verify_full;
        options.system_authorities = true;
        return {};
    }
    options.authorities = or_default(values, "sslrootcert", "root.crt");
    std::error_code ignored;
    const bool there = std::filesystem::exists(options.authorities, ignored);
    if (!there && options.mode >= SslMode::verify_ca) {
        return wrong(
            "root certificate file \"" +
            (options.authorities.empty() ? "~/.postgresql/root.crt" : options.authorities) +
            "\" does not exist: either provide the file, use the system's trusted roots with "
            "sslrootcert=system, or change sslmode to disable server certificate verification"
        );
    }
    if (!there) {
        options.authorities.clear();  // as libpq: verified where the file is there
    }
    return {};
}

}  // namespace

std::string take_keyword(std::string& dsn, const std::string& keyword) {
    return is_uri(dsn) ? take_from_uri(dsn, keyword) : take_from_keywords(dsn, keyword);
}

std::string for_installed_libpq(const std::string& dsn) {
    std::string own = dsn;
    if (!libpq_knows("sslnegotiation")) {
        take_keyword(own, "sslnegotiation");
    }
    std::string without_roots = own;
    const std::string roots = take_keyword(without_roots, "sslrootcert");
    if (PQlibVersion() >= libpq_with_system_roots || roots != "system") {
        return own;
    }
    std::string bundle = environment("SSL_CERT_FILE");
    for (const char* const file :
         {"/etc/ssl/certs/ca-certificates.crt",
          "/etc/pki/tls/certs/ca-bundle.crt",
          "/etc/ssl/cert.pem"}) {
        std::error_code ignored;
        if (bundle.empty() && std::filesystem::exists(file, ignored)) {
            bundle = file;
        }
    }
    take_keyword(without_roots, "sslmode");
    const std::string said = "sslmode=verify-full";
    if (!is_uri(without_roots)) {
        return without_roots + ' ' + said + " sslrootcert='" + bundle + "'";
    }
    const char* const mark = without_roots.find('?') == std::string::npos ? "?" : "&";
    return without_roots + mark + said + "&sslrootcert=" + bundle;
}

Result<TlsOptions> parse_tls_options(const std::string& dsn) {
    std::string known = dsn;
    std::string negotiation = take_keyword(known, "sslnegotiation");
    if (negotiation.empty()) {
        negotiation = environment("PGSSLNEGOTIATION");
    }
    char* message = nullptr;
    const Options given(PQconninfoParse(known.c_str(), &message));
    if (given == nullptr) {
        PQfreemem(message);
        return wrong("this is not a libpq connection string (manual 34.1.1)");
    }
    Values values;
    take_values(given, values);
    const bool mode_given = values.contains("sslmode") || !environment("PGSSLMODE").empty();
    Values all;
    take_values(Options(PQconndefaults()), all);
    take_values(given, all);
    TlsOptions options;
    const auto mode = mode_named(all.contains("sslmode") ? all["sslmode"] : "prefer");
    if (!mode.has_value()) {
        return mode.error();
    }
    options.mode = *mode;
    if (const auto chosen = choose_authorities(all, mode_given, options); !chosen.has_value()) {
        return chosen.error();
    }
    if (!negotiation.empty() && negotiation != "postgres" && negotiation != "direct") {
        return wrong("invalid sslnegotiation value: \"" + negotiation + "\"");
    }
    options.direct = negotiation == "direct";
    if (options.direct && options.mode < SslMode::require) {
        return wrong(
            "weak sslmode \"" + (mode_given ? all["sslmode"] : "prefer") +
            "\" may not be used with sslnegotiation=direct (use \"require\", \"verify-ca\", or "
            "\"verify-full\")"
        );
    }
    options.server_name = !all.contains("sslsni") || all["sslsni"] != "0";
    options.certificate = or_default(all, "sslcert", "postgresql.crt");
    options.key = or_default(all, "sslkey", "postgresql.key");
    options.key_password = all["sslpassword"];
    options.revoked = or_default(all, "sslcrl", "root.crl");
    return options;
}

}  // namespace veer::storage::source
