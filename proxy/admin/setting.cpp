#include "proxy/admin/setting.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace veer::proxy::admin {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 27> fixed{{
    {"server_encoding", "UTF8"},
    {"client_encoding", "UTF8"},
    {"standard_conforming_strings", "on"},
    {"transaction_isolation", "read committed"},
    {"default_transaction_isolation", "read committed"},
    {"transaction_read_only", "off"},
    {"default_transaction_read_only", "off"},
    {"in_hot_standby", "off"},
    {"search_path", "veer"},
    {"datestyle", "ISO, MDY"},
    {"timezone", "UTC"},
    {"intervalstyle", "postgres"},
    {"integer_datetimes", "on"},
    {"application_name", ""},
    {"is_superuser", "off"},
    {"max_identifier_length", "63"},
    {"extra_float_digits", "1"},
    {"bytea_output", "hex"},
    {"lc_collate", "C"},
    {"lc_ctype", "C"},
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"idle_session_timeout", "0"},
    {"client_min_messages", "notice"},
    {"jit", "off"},
    {"row_security", "on"},
}};

}  // namespace

bool is_known_setting(std::string_view name) {
    return std::any_of(fixed.begin(), fixed.end(), [name](const auto& each) {
        return each.first == name;
    });
}

std::optional<Value> setting_value(std::string_view name, const Asker& asker) {
    if (name == "server_version") {
        return asker.server_version;
    }
    if (name == "server_version_num") {
        return std::string("150000");
    }
    if (name == "session_authorization") {
        return asker.user;
    }
    for (const auto& [known, value] : fixed) {
        if (known == name) {
            return std::string(value);
        }
    }
    return std::nullopt;
}

std::optional<Value> function_value(std::string_view name, const Asker& asker) {
    if (name == "version") {
        return "PostgreSQL " + asker.server_version;
    }
    if (name == "current_database" || name == "current_catalog") {
        return asker.database;
    }
    if (name == "current_user" || name == "session_user" || name == "user") {
        return asker.user;
    }
    if (name == "current_schema") {
        return std::string("veer");
    }
    if (name == "pg_is_in_recovery") {
        return false;
    }
    if (name == "pg_backend_pid" || name == "txid_current") {
        return std::int64_t{0};
    }
    if (name == "inet_server_addr" || name == "inet_server_port") {
        return Value{};
    }
    return std::nullopt;
}

}  // namespace veer::proxy::admin
