#pragma once

#include "config/config.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::config {

/// A value of the file: a scalar, or a list of numbers or of strings; monostate is anything else (a
/// date, a table, a mixed list). An empty list is one of numbers.
using Value = std::variant<
    std::monostate,
    bool,
    std::int64_t,
    double,
    std::string,
    std::vector<double>,
    std::vector<std::string>>;

/// Formats as TOML would write it; monostate has no such form and says so.
std::string to_string(const Value& value);

/// One key of a [table]: the only place that knows its limits, for reading, diff and output alike.
///
///     defaults.percent must be a number from 0 to 100, not 250
///     ~table~~ ~name~~         ~~~~~~allowed~~~~~~~~~
struct Key {
    std::string_view table;
    std::string_view name;
    std::string_view allowed;
    bool restart_required = false;
    bool (*set)(Config&, const Value&) = nullptr;  ///< false, and no change, if not allowed
    Value (*get)(const Config&) = nullptr;         ///< as one would write it; secrets redacted
};

/// One key of a [[route]].
struct RouteKey {
    std::string_view name;
    std::string_view allowed;
    bool required = false;
    bool restart_required = false;
    bool (*set)(Route&, const Value&) = nullptr;
    Value (*get)(const Route&) = nullptr;
};

/// Every key, in the order of the file that veer documents.
std::span<const Key> keys();
std::span<const RouteKey> route_keys();

/// One key of a [[rule]].
struct RuleKey {
    std::string_view name;
    std::string_view allowed;
    bool (*set)(Rule&, const Value&) = nullptr;
    /// monostate where the rule does not say it.
    Value (*get)(const Rule&) = nullptr;
};

std::span<const RuleKey> rule_keys();

/// Those of [cutover], [gates] and [guards]; keys() has them too.
std::span<const Key> cutover_keys();

/// Those of a [[route]] about another server; route_keys() has them too.
std::span<const RouteKey> engine_keys();

/// What is wrong with them together, without the route's name; empty where all is well.
std::string engine_problem(const Route& route);

/// The name under which a route is spoken of: public.documents.embedding <=>
std::string route_name(const Route& route);

/// Replaces the passwords of a libpq connection string, keyword or URI form, by ***.
std::string redact_dsn(std::string_view dsn);

}  // namespace veer::config
