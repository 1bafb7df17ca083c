#include "config/column_name.hpp"
#include "config/columns.hpp"
#include "config/keys.hpp"
#include "config/quantity.hpp"
#include "config/setters.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

// The keys of a [[route]].

namespace veer::config {
namespace {

constexpr std::array<std::string_view, 2> unparsable_words{"postgres", "skip"};
constexpr std::array<std::string_view, 2> half_migrated_words{"as_asked", "whole"};
constexpr std::array<std::string_view, 2> ef_search_words{"session", "auto"};
constexpr std::size_t functions_max = 64;
constexpr std::int64_t dimensions_max = 16'000;  // pgvector's

/// A column's name by the rules of a whole one.
constexpr std::string_view some_table = "s.t.";

std::string identifier(const std::string& name) {
    return to_string(ColumnName{.schema = "s", .table = "t", .column = name})
        .substr(some_table.size());
}

bool set_legacy(std::string& target, const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
        return false;
    }
    const std::optional<ColumnName> name = parse_column_name(std::string(some_table) + *text);
    if (!name && !text->empty()) {
        return false;
    }
    target = name ? name->column : std::string();
    return true;
}

bool set_column(ColumnName& target, const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    std::optional<ColumnName> name = text == nullptr ? std::nullopt : parse_column_name(*text);
    if (!name) {
        return false;
    }
    target = std::move(*name);
    return true;
}

/// Less than the least is no walk.
bool set_visits(std::uint64_t& target, const Value& value) {
    return set_integer(target, value, 0, 0) || set_integer(target, value, 100, 1'000'000'000);
}

/// By the rules of a column's name, less the table.
bool set_functions(std::vector<FunctionName>& target, const Value& value) {
    const auto* const numbers = std::get_if<std::vector<double>>(&value);
    if (numbers != nullptr && numbers->empty()) {
        target.clear();
        return true;
    }
    const auto* const names = std::get_if<std::vector<std::string>>(&value);
    if (names == nullptr || names->size() > functions_max) {
        return false;
    }
    std::vector<FunctionName> read;
    for (const std::string& name : *names) {
        std::optional<ColumnName> parts = parse_column_name("s." + name);
        if (!parts) {
            return false;
        }
        read.push_back({std::move(parts->table), std::move(parts->column)});
    }
    target = std::move(read);
    return true;
}

Value value_of(const std::vector<FunctionName>& functions) {
    std::vector<std::string> names;
    names.reserve(functions.size());
    for (const FunctionName& function : functions) {
        names.push_back(
            to_string(ColumnName{.schema = "s", .table = function.schema, .column = function.name})
                .substr(2)
        );
    }
    return names;
}

const std::array<RouteKey, 19> all_route_keys{{
    {"column",
     "schema.table.column, such as \"public.documents.embedding\"",
     true,
     false,
     [](Route& r, const Value& v) { return set_column(r.column, v); },
     [](const Route& r) {
         return Value(to_string(r.column));
     }},
    {"operator",
     "one of <->, <=>, <#>, <+>, <~>, <%>",
     true,
     false,
     [](Route& r, const Value& v) { return set_operator(r.operator_name, v); },
     [](const Route& r) {
         return Value(r.operator_name);
     }},
    {"percent",
     "a number from 0 to 100",
     false,
     false,
     [](Route& r, const Value& v) {
         r.percent_given = set_percent(r.percent, v);
         return r.percent_given;
     },
     [](const Route& r) {
         return Value(r.percent);
     }},
    {"salt",
     "a string of at most 64 bytes",
     false,
     false,
     [](Route& r, const Value& v) { return set_text(r.salt, v, 0, salt_bytes_max); },
     [](const Route& r) {
         return Value(r.salt);
     }},
    {"memory_max",
     "a size from \"64KiB\" to \"1048576GiB\", or 0 for no bound of its own",
     false,
     true,
     [](Route& r, const Value& v) { return set_memory_bound(r.memory_max, v, 1ULL << 16U); },
     [](const Route& r) {
         return Value(bytes_to_string(r.memory_max));
     }},
    {"compare_rate",
     "a share from 0 to 1, such as 0.01",
     false,
     false,
     [](Route& r, const Value& v) { return set_number(r.compare_rate, v, 0, 1); },
     [](const Route& r) {
         return Value(r.compare_rate);
     }},
    {"sticky_by",
     "one of auto, role, application, session, shape, or tag:NAME",
     false,
     false,
     [](Route& r, const Value& v) { return set_sticky_by(r.sticky_by, v); },
     [](const Route& r) {
         return Value(r.sticky_by);
     }},
    {"columns",
     columns_allowed,
     false,
     true,
     [](Route& r, const Value& v) { return set_columns(r.columns, v); },
     [](const Route& r) {
         return value_of(r.columns);
     }},
    {"freshness",
     freshness_words,
     false,
     false,
     [](Route& r, const Value& v) { return set_freshness(r.freshness, v); },
     [](const Route& r) {
         return Value(to_string(r.freshness));
     }},
    {"dimensions",
     "a number from 1 to 16000, or 0 for those of the column",
     false,
     true,
     [](Route& r, const Value& v) { return set_integer(r.dimensions, v, 0, dimensions_max); },
     [](const Route& r) {
         return Value(std::int64_t{r.dimensions});
     }},
    {"legacy",
     "a column of the same table, which counts where the other is NULL; \"\" for none",
     false,
     true,
     [](Route& r, const Value& v) { return set_legacy(r.legacy, v); },
     [](const Route& r) {
         return Value(r.legacy.empty() ? r.legacy : identifier(r.legacy));
     }},
    {"unparsable",
     "one of postgres, skip",
     false,
     false,
     [](Route& r, const Value& v) { return set_choice(r.skips_unparsable, v, unparsable_words); },
     [](const Route& r) {
         return Value(std::string(unparsable_words.at(r.skips_unparsable ? 1 : 0)));
     }},
    {"half_migrated",
     "one of as_asked, whole",
     false,
     false,
     [](Route& r, const Value& v) { return set_choice(r.searched_whole, v, half_migrated_words); },
     [](const Route& r) {
         return Value(std::string(half_migrated_words.at(r.searched_whole ? 1 : 0)));
     }},
    {"order_by_similarity",
     "true or false",
     false,
     false,
     [](Route& r, const Value& v) { return set_truth(r.order_by_similarity, v); },
     [](const Route& r) {
         return Value(r.order_by_similarity);
     }},
    {"tie_breakers",
     "true or false",
     false,
     false,
     [](Route& r, const Value& v) { return set_truth(r.tie_breakers, v); },
     [](const Route& r) {
         return Value(r.tie_breakers);
     }},
    {"ef_search",
     "one of session, auto",
     false,
     false,
     [](Route& r, const Value& v) { return set_choice(r.learns_ef, v, ef_search_words); },
     [](const Route& r) {
         return Value(std::string(ef_search_words.at(r.learns_ef ? 1 : 0)));
     }},
    {"recall_target",
     "a share from 0.5 to 0.9999, such as 0.99",
     false,
     false,
     [](Route& r, const Value& v) { return set_number(r.recall_target, v, 0.5, 0.9999); },
     [](const Route& r) {
         return Value(r.recall_target);
     }},
    {"visits_max",
     "a number from 100 to 1000000000, or 0 for no bound",
     false,
     false,
     [](Route& r, const Value& v) { return set_visits(r.visits_max, v); },
     [](const Route& r) {
         return Value(static_cast<std::int64_t>(r.visits_max));
     }},
    {"functions",
     "a list of at most 64 functions, such as \"public.match_documents\"",
     false,
     false,
     [](Route& r, const Value& v) { return set_functions(r.functions, v); },
     [](const Route& r) {
         return value_of(r.functions);
     }},
}};

}  // namespace

std::span<const RouteKey> route_keys() {
    static const std::vector<RouteKey> all = [] {
        std::vector<RouteKey> joined(all_route_keys.begin(), all_route_keys.end());
        joined.insert(joined.end(), engine_keys().begin(), engine_keys().end());
        return joined;
    }();
    return all;
}

std::string route_name(const Route& route) {
    const std::string first = to_string(route.column);
    if (route.legacy.empty()) {
        return first + ' ' + route.operator_name;
    }
    const std::string column = identifier(route.column.column);
    return first.substr(0, first.size() - column.size()) + "coalesce(" + column + ", " +
           identifier(route.legacy) + ") " + route.operator_name;
}

}  // namespace veer::config
