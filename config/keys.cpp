#include "config/keys.hpp"

#include "config/columns.hpp"
#include "config/quantity.hpp"
#include "config/setters.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace veer::config {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 6> levels{"trace", "debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 7> tls_modes{
    "auto", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
constexpr std::size_t name_bytes_max = 63;  // NAMEDATALEN of Postgres, less the terminator

/// A bound below which a slot would be dropped by ordinary traffic; 0 is none.
bool set_wal_bound(std::uint64_t& target, const Value& value) {
    return set_bytes(target, value, 0, 0) || set_bytes(target, value, 1ULL << 26U, 1ULL << 50U);
}

constexpr std::array<std::string_view, 3> vector_places{"auto", "memory", "file"};
const std::array<Key, 47> all_keys{{
    {"listen",
     "address",
     "an address or host name",
     true,
     [](Config& c, const Value& v) { return set_text(c.listen.address, v, 1, 255); },
     [](const Config& c) {
         return Value(c.listen.address);
     }},
    {"listen",
     "port",
     "an integer from 1 to 65535",
     true,
     [](Config& c, const Value& v) { return set_integer(c.listen.port, v, 1, 65535); },
     [](const Config& c) {
         return Value(std::int64_t{c.listen.port});
     }},
    {"listen",
     "max_connections",
     "an integer from 1 to 100000",
     true,
     [](Config& c, const Value& v) { return set_integer(c.listen.max_connections, v, 1, 100'000); },
     [](const Config& c) {
         return Value(std::int64_t{c.listen.max_connections});
     }},
    {"upstream",
     "dsn",
     "a libpq connection string such as \"host=127.0.0.1 dbname=app\"",
     true,
     [](Config& c, const Value& v) { return set_text(c.upstream.dsn, v, 1, text_bytes_max); },
     [](const Config& c) {
         return Value(redact_dsn(c.upstream.dsn));
     }},
    {"tls",
     "mode",
     "one of auto, disable, allow, prefer, require, verify-ca, verify-full",
     false,
     [](Config& c, const Value& v) { return set_choice(c.tls.mode, v, tls_modes); },
     [](const Config& c) {
         return Value(std::string(tls_modes.at(static_cast<std::size_t>(c.tls.mode))));
     }},
    {"tls",
     "cert",
     "a certificate file (PEM)",
     false,
     [](Config& c, const Value& v) { return set_text(c.tls.cert, v, 0, text_bytes_max); },
     [](const Config& c) {
         return Value(c.tls.cert);
     }},
    {"tls",
     "key",
     "a private key file (PEM)",
     false,
     [](Config& c, const Value& v) { return set_text(c.tls.key, v, 0, text_bytes_max); },
     [](const Config& c) {
         return Value(c.tls.key);
     }},
    {"tls",
     "ca",
     "a file of certificate authorities (PEM)",
     false,
     [](Config& c, const Value& v) { return set_text(c.tls.ca, v, 0, text_bytes_max); },
     [](const Config& c) {
         return Value(c.tls.ca);
     }},
    {"auth",
     "file",
     "a file of users and SCRAM secrets",
     false,
     [](Config& c, const Value& v) { return set_text(c.auth.file, v, 0, text_bytes_max); },
     [](const Config& c) {
         return Value(c.auth.file);
     }},
    {"auth",
     "query",
     "\"default\" or a statement with $1 for the user",
     false,
     [](Config& c, const Value& v) { return set_text(c.auth.query, v, 0, text_bytes_max); },
     [](const Config& c) {
         return Value(c.auth.query);
     }},
    {"storage",
     "dir",
     "a directory",
     true,
     [](Config& c, const Value& v) { return set_text(c.storage.dir, v, 1, text_bytes_max); },
     [](const Config& c) {
         return Value(c.storage.dir);
     }},
    {"storage",
     "checkpoint_interval",
     "a duration from \"1s\" to \"24h\", or \"0s\" for none",
     true,
     [](Config& c, const Value& v) { return set_interval(c.storage.checkpoint_interval, v); },
     [](const Config& c) {
         return Value(to_string(c.storage.checkpoint_interval));
     }},
    {"storage",
     "vectors",
     R"("auto", "memory" or "file")",
     true,
     [](Config& c, const Value& v) { return set_choice(c.storage.vectors, v, vector_places); },
     [](const Config& c) {
         return Value(std::string(vector_places.at(static_cast<std::size_t>(c.storage.vectors))));
     }},
    {"sync",
     "wal_keep_max",
     "a size from \"64MiB\" to \"1048576GiB\", or 0 for no bound",
     true,
     [](Config& c, const Value& v) { return set_wal_bound(c.sync.wal_keep_max, v); },
     [](const Config& c) {
         return Value(bytes_to_string(c.sync.wal_keep_max));
     }},
    {"sync",
     "streamed_max",
     "a size from \"64MiB\" to \"1048576GiB\", or 0 for none",
     true,
     [](Config& c, const Value& v) { return set_wal_bound(c.sync.streamed_max, v); },
     [](const Config& c) {
         return Value(bytes_to_string(c.sync.streamed_max));
     }},
    {"sync",
     "verify_rate",
     "a number from 0 to 1000000",
     true,
     [](Config& c, const Value& v) { return set_number(c.sync.verify_rate, v, 0, 1'000'000); },
     [](const Config& c) {
         return Value(c.sync.verify_rate);
     }},
    {"sync",
     "copy_connections",
     "a whole number from 1 to 16",
     true,
     [](Config& c, const Value& v) { return set_integer(c.sync.copy_connections, v, 1, 16); },
     [](const Config& c) {
         return Value(std::int64_t{c.sync.copy_connections});
     }},
    {"sync",
     "copy_rate",
     "a size from \"64KiB\" to \"1048576GiB\" a second, or 0 for no bound",
     true,
     [](Config& c, const Value& v) { return set_memory_bound(c.sync.copy_rate, v, 1U << 16U); },
     [](const Config& c) {
         return Value(bytes_to_string(c.sync.copy_rate));
     }},
    {"sync",
     "build_threads",
     "a whole number from 0 to 1024",
     true,
     [](Config& c, const Value& v) { return set_integer(c.sync.build_threads, v, 0, 1024); },
     [](const Config& c) {
         return Value(std::int64_t{c.sync.build_threads});
     }},
    {"defaults",
     "percent",
     "a number from 0 to 100",
     false,
     [](Config& c, const Value& v) { return set_percent(c.defaults.percent, v); },
     [](const Config& c) {
         return Value(c.defaults.percent);
     }},
    {"defaults",
     "freshness_wait",
     "a duration from \"0ms\" to \"1m\", such as \"50ms\"",
     true,
     [](Config& c, const Value& v) {
         return set_duration(c.defaults.freshness_wait, v, milliseconds(0), milliseconds(60'000));
     },
     [](const Config& c) {
         return Value(to_string(c.defaults.freshness_wait));
     }},
    {"defaults",
     "salt",
     "a string of at most 64 bytes",
     false,
     [](Config& c, const Value& v) { return set_text(c.defaults.salt, v, 0, salt_bytes_max); },
     [](const Config& c) {
         return Value(c.defaults.salt);
     }},
    {"defaults",
     "sticky_by",
     "one of auto, role, application, session, shape, or tag:NAME",
     false,
     [](Config& c, const Value& v) { return set_sticky_by(c.defaults.sticky_by, v); },
     [](const Config& c) {
         return Value(c.defaults.sticky_by);
     }},
    {"defaults",
     "columns",
     columns_allowed,
     true,
     [](Config& c, const Value& v) { return set_columns(c.defaults.columns, v); },
     [](const Config& c) {
         return value_of(c.defaults.columns);
     }},
    {"defaults",
     "freshness",
     freshness_words,
     false,
     [](Config& c, const Value& v) { return set_freshness(c.defaults.freshness, v); },
     [](const Config& c) {
         return Value(to_string(c.defaults.freshness));
     }},
    {"compare",
     "rate",
     "a share from 0 to 1, such as 0.01",
     false,
     [](Config& c, const Value& v) { return set_number(c.compare.rate, v, 0, 1); },
     [](const Config& c) {
         return Value(c.compare.rate);
     }},
    {"compare",
     "budget_per_second",
     "a number from 0 to 10000",
     false,
     [](Config& c, const Value& v) {
         return set_number(c.compare.budget_per_second, v, 0, 10'000);
     },
     [](const Config& c) {
         return Value(c.compare.budget_per_second);
     }},
    {"compare",
     "load_max",
     "a number from 0 to 64, of one processor",
     false,
     [](Config& c, const Value& v) { return set_number(c.compare.load_max, v, 0, 64); },
     [](const Config& c) {
         return Value(c.compare.load_max);
     }},
    {"compare",
     "judge_cores",
     "a number from 0 to 64",
     false,
     [](Config& c, const Value& v) { return set_number(c.compare.judge_cores, v, 0, 64); },
     [](const Config& c) {
         return Value(c.compare.judge_cores);
     }},
    {"compare",
     "keep",
     "an integer from 0 to 10000",
     false,
     [](Config& c, const Value& v) { return set_integer(c.compare.keep, v, 0, 10'000); },
     [](const Config& c) {
         return Value(std::int64_t{c.compare.keep});
     }},
    {"compare",
     "golden",
     "an integer from 0 to 1000",
     false,
     [](Config& c, const Value& v) { return set_integer(c.compare.golden, v, 0, 1000); },
     [](const Config& c) {
         return Value(std::int64_t{c.compare.golden});
     }},
    {"limits",
     "k_max",
     "an integer from 1 to 100000",
     true,
     [](Config& c, const Value& v) { return set_integer(c.limits.k_max, v, 1, 100'000); },
     [](const Config& c) {
         return Value(std::int64_t{c.limits.k_max});
     }},
    {"limits",
     "result_bytes_max",
     "a size from \"64KiB\" to \"1GiB\", or bytes",
     true,
     [](Config& c, const Value& v) {
         return set_bytes(c.limits.result_bytes_max, v, 1ULL << 16U, 1ULL << 30U);
     },
     [](const Config& c) {
         return Value(bytes_to_string(c.limits.result_bytes_max));
     }},
    {"limits",
     "message_bytes_inspected_max",
     "a size from \"1KiB\" to \"1GiB\", or bytes",
     true,
     [](Config& c, const Value& v) {
         return set_bytes(c.limits.message_bytes_inspected_max, v, 1ULL << 10U, 1ULL << 30U);
     },
     [](const Config& c) {
         return Value(bytes_to_string(c.limits.message_bytes_inspected_max));
     }},
    {"limits",
     "connect_timeout",
     "a duration from \"1ms\" to \"10m\", such as \"10s\"",
     true,
     [](Config& c, const Value& v) {
         return set_duration(c.limits.connect_timeout, v, milliseconds(1), milliseconds(600'000));
     },
     [](const Config& c) {
         return Value(to_string(c.limits.connect_timeout));
     }},
    {"limits",
     "authentication_timeout",
     "a duration from \"100ms\" to \"10m\", such as \"60s\"",
     true,
     [](Config& c, const Value& v) {
         return set_duration(
             c.limits.authentication_timeout, v, milliseconds(100), milliseconds(600'000)
         );
     },
     [](const Config& c) {
         return Value(to_string(c.limits.authentication_timeout));
     }},
    {"limits",
     "client_idle_timeout",
     "a duration up to \"24h\", \"0s\" for none",
     true,
     [](Config& c, const Value& v) {
         return set_duration(
             c.limits.client_idle_timeout, v, milliseconds(0), milliseconds(86'400'000)
         );
     },
     [](const Config& c) {
         return Value(to_string(c.limits.client_idle_timeout));
     }},
    {"limits",
     "drain_timeout",
     "a duration from \"0s\" to \"1h\", such as \"10s\"",
     false,
     [](Config& c, const Value& v) {
         return set_duration(c.limits.drain_timeout, v, milliseconds(0), milliseconds(3'600'000));
     },
     [](const Config& c) {
         return Value(to_string(c.limits.drain_timeout));
     }},
    {"limits",
     "session_bytes_max",
     "a size from \"16KiB\" to \"1GiB\", or bytes",
     true,
     [](Config& c, const Value& v) {
         return set_bytes(c.limits.session_bytes_max, v, 1ULL << 14U, 1ULL << 30U);
     },
     [](const Config& c) {
         return Value(bytes_to_string(c.limits.session_bytes_max));
     }},
    {"limits",
     "unsent_bytes_max",
     "a size from \"1MiB\" to \"1024GiB\", or bytes",
     true,
     [](Config& c, const Value& v) {
         return set_bytes(c.limits.unsent_bytes_max, v, 1ULL << 20U, 1ULL << 40U);
     },
     [](const Config& c) {
         return Value(bytes_to_string(c.limits.unsent_bytes_max));
     }},
    {"limits",
     "index_memory_max",
     "a size from \"1MiB\" to \"1048576GiB\", or 0 for half of the memory",
     true,
     [](Config& c, const Value& v) {
         return set_memory_bound(c.limits.index_memory_max, v, 1ULL << 20U);
     },
     [](const Config& c) {
         return Value(bytes_to_string(c.limits.index_memory_max));
     }},
    {"log",
     "level",
     "one of trace, debug, info, warn, error, off",
     true,
     [](Config& c, const Value& v) { return set_choice(c.log.level, v, levels); },
     [](const Config& c) {
         return Value(std::string(levels.at(static_cast<std::size_t>(c.log.level))));
     }},
    {"admin",
     "database",
     "a name of at most 63 bytes, \"\" for no console",
     false,
     [](Config& c, const Value& v) { return set_text(c.admin.database, v, 0, name_bytes_max); },
     [](const Config& c) {
         return Value(c.admin.database);
     }},
    {"admin",
     "users",
     "names such as \"alice, bob\"",
     false,
     [](Config& c, const Value& v) { return set_text(c.admin.users, v, 0, text_bytes_max); },
     [](const Config& c) {
         return Value(c.admin.users);
     }},
    {"admin",
     "readonly_users",
     "names such as \"grafana, carol\"",
     false,
     [](Config& c, const Value& v) {
         return set_text(c.admin.readonly_users, v, 0, text_bytes_max);
     },
     [](const Config& c) {
         return Value(c.admin.readonly_users);
     }},
    {"admin",
     "file",
     "a file of users and SCRAM secrets",
     false,
     [](Config& c, const Value& v) { return set_text(c.admin.file, v, 0, text_bytes_max); },
     [](const Config& c) {
         return Value(c.admin.file);
     }},
    {"admin",
     "http",
     "ADDRESS:PORT such as \"127.0.0.1:7433\", \"\" for none",
     true,
     [](Config& c, const Value& v) { return set_text(c.admin.http, v, 0, 255); },
     [](const Config& c) {
         return Value(c.admin.http);
     }},
}};

std::string quote(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            quoted += "\\u00";
            quoted += digits[byte >> 4U];
            quoted += digits[byte & 0xfU];
        } else {
            quoted += c;
        }
    }
    return quoted + '"';
}

struct Formatter {
    std::string operator()(const std::vector<double>& values) const {
        std::string list;
        for (const double value : values) {
            list += (list.empty() ? "" : ", ") + number_to_string(value);
        }
        return '[' + list + ']';
    }

    std::string operator()(const std::vector<std::string>& values) const {
        std::string list;
        for (const std::string& value : values) {
            list += (list.empty() ? "" : ", ") + quote(value);
        }
        return '[' + list + ']';
    }

    std::string operator()(std::monostate) const { return "something else"; }

    std::string operator()(bool value) const { return value ? "true" : "false"; }

    std::string operator()(std::int64_t value) const { return std::to_string(value); }

    std::string operator()(double value) const { return number_to_string(value); }

    std::string operator()(const std::string& value) const { return quote(value); }
};

}  // namespace

std::string to_string(const Value& value) {
    return std::visit(Formatter{}, value);
}

std::span<const Key> keys() {
    static const std::vector<Key> all = [] {
        std::vector<Key> joined(all_keys.begin(), all_keys.end());
        joined.insert(joined.end(), cutover_keys().begin(), cutover_keys().end());
        return joined;
    }();
    return all;
}

}  // namespace veer::config
