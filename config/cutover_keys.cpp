#include "config/keys.hpp"
#include "config/network.hpp"
#include "config/quantity.hpp"
#include "config/setters.hpp"

#include <array>
#include <string>

// The keys that say how traffic moves, and those of [[rule]].

namespace veer::config {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t text_bytes_max = 4096;
constexpr std::size_t list_max = 100;
constexpr std::size_t shape_digits = 16;

bool set_steps(std::vector<double>& target, const Value& value) {
    const auto* steps = std::get_if<std::vector<double>>(&value);
    if (steps == nullptr || steps->empty() || steps->size() > list_max || steps->front() <= 0 ||
        steps->back() != 100) {
        return false;
    }
    for (std::size_t i = 1; i < steps->size(); ++i) {
        if (!((*steps)[i - 1] < (*steps)[i])) {
            return false;
        }
    }
    target = *steps;
    return true;
}

bool set_names(std::vector<std::string>& target, const Value& value) {
    if (const auto* none = std::get_if<std::vector<double>>(&value); none && none->empty()) {
        target.clear();
        return true;
    }
    const auto* names = std::get_if<std::vector<std::string>>(&value);
    if (names == nullptr || names->size() > list_max) {
        return false;
    }
    target = *names;
    return true;
}

bool set_shape(std::string& target, const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    return text != nullptr && text->find_first_not_of("0123456789abcdef") == std::string::npos &&
           set_text(target, value, shape_digits, shape_digits);
}

/// The only word that there is for it.
bool set_word(bool& target, const Value& value, std::string_view word) {
    const auto* text = std::get_if<std::string>(&value);
    const bool said = text != nullptr && *text == word;
    target = target || said;
    return said;
}

bool set_optional(std::optional<double>& target, const Value& value, double high) {
    double number = 0;
    const bool allowed = set_number(number, value, 0, high);
    if (allowed) {
        target = number;
    }
    return allowed;
}

Value said(const std::string& text) {
    return text.empty() ? Value() : Value(text);
}

Value said(const std::optional<double>& number) {
    return number ? Value(*number) : Value();
}

const std::array<Key, 23> all_cutover_keys{{
    {"cutover",
     "steps",
     "a list of rising numbers above 0, the last of them 100",
     false,
     [](Config& c, const Value& v) { return set_steps(c.cutover.steps, v); },
     [](const Config& c) {
         return Value(c.cutover.steps);
     }},
    {"cutover",
     "step_min",
     "a duration up to \"24h\", such as \"10m\"",
     false,
     [](Config& c, const Value& v) {
         return set_duration(c.cutover.step_min, v, milliseconds(0), milliseconds(86'400'000));
     },
     [](const Config& c) {
         return Value(to_string(c.cutover.step_min));
     }},
    {"cutover",
     "automatic",
     "true or false",
     false,
     [](Config& c, const Value& v) { return set_truth(c.cutover.automatic, v); },
     [](const Config& c) {
         return Value(c.cutover.automatic);
     }},
    {"cutover",
     "gated",
     "true or false",
     false,
     [](Config& c, const Value& v) { return set_truth(c.cutover.gated, v); },
     [](const Config& c) {
         return Value(c.cutover.gated);
     }},
    {"cutover",
     "evidence_age_max",
     "a duration from \"1m\" to \"720h\"",
     false,
     [](Config& c, const Value& v) {
         return set_duration(
             c.cutover.evidence_age_max, v, milliseconds(60'000), milliseconds(2'592'000'000)
         );
     },
     [](const Config& c) {
         return Value(to_string(c.cutover.evidence_age_max));
     }},
    {"cutover",
     "hint_roles",
     "a list of role names",
     false,
     [](Config& c, const Value& v) { return set_names(c.cutover.hint_roles, v); },
     [](const Config& c) {
         return Value(c.cutover.hint_roles);
     }},
    {"gates",
     "recall_min",
     "a number from 0.5 to 0.999",
     false,
     [](Config& c, const Value& v) { return set_number(c.gates.recall_min, v, 0.5, 0.999); },
     [](const Config& c) {
         return Value(c.gates.recall_min);
     }},
    {"gates",
     "confidence",
     "a number from 0.9 to 0.9999",
     false,
     [](Config& c, const Value& v) { return set_number(c.gates.confidence, v, 0.9, 0.9999); },
     [](const Config& c) {
         return Value(c.gates.confidence);
     }},
    {"gates",
     "margin",
     "a number from 0.001 to 0.1",
     false,
     [](Config& c, const Value& v) { return set_number(c.gates.margin, v, 0.001, 0.1); },
     [](const Config& c) {
         return Value(c.gates.margin);
     }},
    {"gates",
     "slow_share_max",
     "a number from 0.01 to 0.5",
     false,
     [](Config& c, const Value& v) { return set_number(c.gates.slow_share_max, v, 0.01, 0.5); },
     [](const Config& c) {
         return Value(c.gates.slow_share_max);
     }},
    {"gates",
     "compared_min",
     "an integer from 1 to 1000000",
     false,
     [](Config& c, const Value& v) { return set_integer(c.gates.compared_min, v, 1, 1'000'000); },
     [](const Config& c) {
         return Value(std::int64_t{c.gates.compared_min});
     }},
    {"gates",
     "excluded_max",
     "a number from 0 to 1",
     false,
     [](Config& c, const Value& v) { return set_number(c.gates.excluded_max, v, 0, 1); },
     [](const Config& c) {
         return Value(c.gates.excluded_max);
     }},
    {"guards",
     "recall_floor",
     "a number from 0.1 to 0.999",
     false,
     [](Config& c, const Value& v) { return set_number(c.guards.recall_floor, v, 0.1, 0.999); },
     [](const Config& c) {
         return Value(c.guards.recall_floor);
     }},
    {"guards",
     "slow_share_max",
     "a number from 0.01 to 0.9",
     false,
     [](Config& c, const Value& v) { return set_number(c.guards.slow_share_max, v, 0.01, 0.9); },
     [](const Config& c) {
         return Value(c.guards.slow_share_max);
     }},
    {"guards",
     "fallback_max",
     "a number from 0.0001 to 0.5",
     false,
     [](Config& c, const Value& v) { return set_number(c.guards.fallback_max, v, 0.0001, 0.5); },
     [](const Config& c) {
         return Value(c.guards.fallback_max);
     }},
    {"guards",
     "lag_max",
     "a duration from \"1ms\" to \"1h\"",
     false,
     [](Config& c, const Value& v) {
         return set_duration(c.guards.lag_max, v, milliseconds(1), milliseconds(3'600'000));
     },
     [](const Config& c) {
         return Value(to_string(c.guards.lag_max));
     }},
    {"guards",
     "lag_for",
     "a duration up to \"1h\"",
     false,
     [](Config& c, const Value& v) {
         return set_duration(c.guards.lag_for, v, milliseconds(0), milliseconds(3'600'000));
     },
     [](const Config& c) {
         return Value(to_string(c.guards.lag_for));
     }},
    {"guards",
     "lag_clear",
     "a duration up to \"1h\"",
     false,
     [](Config& c, const Value& v) {
         return set_duration(c.guards.lag_clear, v, milliseconds(0), milliseconds(3'600'000));
     },
     [](const Config& c) {
         return Value(to_string(c.guards.lag_clear));
     }},
    {"guards",
     "lag_clear_for",
     "a duration up to \"1h\"",
     false,
     [](Config& c, const Value& v) {
         return set_duration(c.guards.lag_clear_for, v, milliseconds(0), milliseconds(3'600'000));
     },
     [](const Config& c) {
         return Value(to_string(c.guards.lag_clear_for));
     }},
    {"guards",
     "wal_keep_max",
     "a size from \"64MiB\" to \"1048576GiB\"",
     false,
     [](Config& c, const Value& v) {
         return set_bytes(c.guards.wal_keep_max, v, 1ULL << 26U, 1ULL << 50U);
     },
     [](const Config& c) {
         return Value(bytes_to_string(c.guards.wal_keep_max));
     }},
    {"guards",
     "memory_max",
     "a number from 0.1 to 1",
     false,
     [](Config& c, const Value& v) { return set_number(c.guards.memory_max, v, 0.1, 1); },
     [](const Config& c) {
         return Value(c.guards.memory_max);
     }},
    {"guards",
     "cooldown",
     "a duration up to \"24h\"",
     false,
     [](Config& c, const Value& v) {
         return set_duration(c.guards.cooldown, v, milliseconds(0), milliseconds(86'400'000));
     },
     [](const Config& c) {
         return Value(to_string(c.guards.cooldown));
     }},
    {"guards",
     "cooldown_max",
     "a duration up to \"720h\"",
     false,
     [](Config& c, const Value& v) {
         return set_duration(
             c.guards.cooldown_max, v, milliseconds(0), milliseconds(2'592'000'000)
         );
     },
     [](const Config& c) {
         return Value(to_string(c.guards.cooldown_max));
     }},
}};

const std::array<RuleKey, 18> all_rule_keys{{
    {"id",
     "an integer from 1 to 1000000",
     [](Rule& r, const Value& v) { return set_integer(r.id, v, 1, 1'000'000); },
     [](const Rule& r) {
         return Value(std::int64_t{r.id});
     }},
    {"active",
     "true or false",
     [](Rule& r, const Value& v) { return set_truth(r.active, v); },
     [](const Rule& r) {
         return Value(r.active);
     }},
    {"route",
     "a route such as \"public.documents.embedding <=>\"",
     [](Rule& r, const Value& v) { return set_text(r.route, v, 1, text_bytes_max); },
     [](const Rule& r) {
         return said(r.route);
     }},
    {"role",
     "a role name",
     [](Rule& r, const Value& v) { return set_text(r.role, v, 1, text_bytes_max); },
     [](const Rule& r) {
         return said(r.role);
     }},
    {"application",
     "an application_name",
     [](Rule& r, const Value& v) { return set_text(r.application, v, 1, text_bytes_max); },
     [](const Rule& r) {
         return said(r.application);
     }},
    {"database",
     "a database name",
     [](Rule& r, const Value& v) { return set_text(r.database, v, 1, text_bytes_max); },
     [](const Rule& r) {
         return said(r.database);
     }},
    {"operator",
     "one of <->, <=>, <#>, <+>, <~>, <%>",
     [](Rule& r, const Value& v) { return set_operator(r.operator_name, v); },
     [](const Rule& r) {
         return said(r.operator_name);
     }},
    {"client",
     R"(an address or a network such as "10.1.0.0/16" or "2001:db8::/32")",
     [](Rule& r, const Value& v) {
         const auto* text = std::get_if<std::string>(&v);
         return text != nullptr && parse_network(*text) && set_text(r.client, v, 1, text_bytes_max);
     },
     [](const Rule& r) {
         return said(r.client);
     }},
    {"shape",
     "16 hexadecimal digits",
     [](Rule& r, const Value& v) { return set_shape(r.shape, v); },
     [](const Rule& r) {
         return said(r.shape);
     }},
    {"tag",
     "a tag such as \"app=web\"",
     [](Rule& r, const Value& v) { return set_text(r.tag, v, 1, text_bytes_max); },
     [](const Rule& r) {
         return said(r.tag);
     }},
    {"k_min",
     "an integer from 1 to 100000",
     [](Rule& r, const Value& v) { return set_integer(r.k_min, v, 1, 100'000); },
     [](const Rule& r) {
         return r.k_min == 0 ? Value() : Value(std::int64_t{r.k_min});
     }},
    {"k_max",
     "an integer from 1 to 100000",
     [](Rule& r, const Value& v) { return set_integer(r.k_max, v, 1, 100'000); },
     [](const Rule& r) {
         return r.k_max == 0 ? Value() : Value(std::int64_t{r.k_max});
     }},
    {"filtered",
     "true or false",
     [](Rule& r, const Value& v) {
         bool filtered = false;
         const bool read = set_truth(filtered, v);
         r.filtered = read ? std::optional(filtered) : std::nullopt;
         return read;
     },
     [](const Rule& r) {
         return r.filtered ? Value(*r.filtered) : Value();
     }},
    {"pin",
     "\"postgres\"",
     [](Rule& r, const Value& v) { return set_word(r.pin_postgres, v, "postgres"); },
     [](const Rule& r) {
         return r.pin_postgres ? Value(std::string("postgres")) : Value();
     }},
    {"allow",
     "\"veer\"",
     [](Rule& r, const Value& v) { return set_word(r.allow_veer, v, "veer"); },
     [](const Rule& r) {
         return r.allow_veer ? Value(std::string("veer")) : Value();
     }},
    {"max_percent",
     "a number from 0 to 100",
     [](Rule& r, const Value& v) { return set_optional(r.max_percent, v, 100); },
     [](const Rule& r) {
         return said(r.max_percent);
     }},
    {"sample",
     "a number from 0 to 1",
     [](Rule& r, const Value& v) { return set_optional(r.sample, v, 1); },
     [](const Rule& r) {
         return said(r.sample);
     }},
    {"comment",
     "a string",
     [](Rule& r, const Value& v) { return set_text(r.comment, v, 0, text_bytes_max); },
     [](const Rule& r) {
         return said(r.comment);
     }},
}};

}  // namespace

std::span<const Key> cutover_keys() {
    return all_cutover_keys;
}

std::span<const RuleKey> rule_keys() {
    return all_rule_keys;
}

}  // namespace veer::config
