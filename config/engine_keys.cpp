#include "config/keys.hpp"
#include "config/setters.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <string_view>

// The keys of a [[route]] whose searches another server answers.

namespace veer::config {
namespace {

constexpr std::size_t dsn_bytes_max = 4096;
constexpr std::size_t operator_bytes_max = 63;

/// A name of an operator (manual 4.1.3), or nothing: it goes into statements as it is.
bool set_operator_name(std::string& target, const Value& value) {
    const auto* const text = std::get_if<std::string>(&value);
    return text != nullptr && text->find_first_not_of("+-*/<>=~!@#%^&|`?") == std::string::npos &&
           text->find("--") == std::string::npos && text->find("/*") == std::string::npos &&
           set_text(target, value, 0, operator_bytes_max);
}

/// [schema.]name as the catalogue has it, so without quotes; or nothing.
bool set_function_name(std::string& target, const Value& value) {
    constexpr std::size_t name_bytes_max = 63;
    const auto* const text = std::get_if<std::string>(&value);
    if (text == nullptr) {
        return false;
    }
    std::string_view rest = *text;
    const std::size_t dot = rest.find('.');
    const auto is_name = [](std::string_view name) {
        const auto letter = [](char c) {
            return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
        };
        return !name.empty() && name.size() <= name_bytes_max && letter(name.front()) &&
               std::all_of(name.begin(), name.end(), [&letter](char c) {
                   return letter(c) || c == '$' || (c >= '0' && c <= '9');
               });
    };
    const bool whole = dot == std::string_view::npos
                           ? rest.empty() || is_name(rest)
                           : is_name(rest.substr(0, dot)) && is_name(rest.substr(dot + 1));
    target = whole ? *text : target;
    return whole;
}

const std::array<RouteKey, 4> all_engine_keys{{
    {"engine",
     "a connection string such as \"postgres://veer@next/app\", \"\" for veer's own index",
     false,
     false,
     [](Route& r, const Value& v) { return set_text(r.engine, v, 0, dsn_bytes_max); },
     [](const Route& r) {
         return Value(redact_dsn(r.engine));
     }},
    {"engine_operator",
     "an operator of the other server such as \"<~>\", \"\" for the same",
     false,
     false,
     [](Route& r, const Value& v) { return set_operator_name(r.engine_operator, v); },
     [](const Route& r) {
         return Value(r.engine_operator);
     }},
    {"engine_function",
     "a function of the other server such as \"l2_distance\" or \"lantern.l2sq_dist\", \"\" for "
     "none",
     false,
     false,
     [](Route& r, const Value& v) { return set_function_name(r.engine_function, v); },
     [](const Route& r) {
         return Value(r.engine_function);
     }},
    {"engine_lag_max",
     "a duration up to \"24h\", such as \"60s\"",
     false,
     false,
     [](Route& r, const Value& v) {
         return set_duration(
             r.engine_lag_max, v, std::chrono::milliseconds(0), std::chrono::hours(24)
         );
     },
     [](const Route& r) {
         return Value(to_string(r.engine_lag_max));
     }},
}};

}  // namespace

std::span<const RouteKey> engine_keys() {
    return all_engine_keys;
}

std::string engine_problem(const Route& route) {
    if (route.engine.empty()) {
        if (!route.engine_function.empty()) {
            return "engine_function needs engine";
        }
        return route.engine_operator.empty() ? "" : "engine_operator needs engine";
    }
    if (route.is_declared()) {
        return "engine asks for a column with an index of pgvector's there; dimensions and legacy "
               "are about veer's own index";
    }
    if (route.tie_breakers) {
        return "engine and tie_breakers: how many rows are as near, another server does not tell";
    }
    if (route.visits_max > 0) {
        return "engine and visits_max: what another server compares, it does not tell";
    }
    return route.freshness.kind == Freshness::Kind::eventual
               ? ""
               : "engine needs freshness = \"eventual\": how far another server is, nobody can "
                 "tell";
}

}  // namespace veer::config
