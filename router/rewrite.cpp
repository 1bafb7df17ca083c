#include "router/rewrite.hpp"

#include "parser/shape.hpp"
#include "storage/column_type.hpp"
#include "storage/key_text.hpp"
#include "storage/row.hpp"

#include <cstdint>
#include <set>

namespace veer::router {

namespace {

using storage::ColumnType;

constexpr std::string_view count_begin = "SELECT pg_catalog.count(*) FROM (";

/// Of the types that keys have (storage::is_key_type()), in pg_catalog.
std::string_view type_name(std::uint32_t type_oid) {
    constexpr std::uint32_t varchar_oid = 1043;
    switch (storage::column_type(type_oid).value_or(ColumnType::text)) {
        case ColumnType::int2:
            return "int2";
        case ColumnType::int4:
            return "int4";
        case ColumnType::int8:
            return "int8";
        case ColumnType::date:
            return "date";
        case ColumnType::timestamp:
            return "timestamp";
        case ColumnType::timestamptz:
            return "timestamptz";
        case ColumnType::uuid:
            return "uuid";
        default:
            return type_oid == varchar_oid ? "varchar" : "text";
    }
}

/// One element inside '{...}' (manual 8.15.2): always in double quotes.
std::string quote_element(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
        }
        quoted += c;
    }
    return quoted + '"';
}

using KeyTexts = std::vector<std::string>;

std::optional<KeyTexts> key_texts(const storage::Table& table, std::string_view key) {
    const std::vector<std::string_view> columns = storage::key_columns(key);
    if (columns.size() != table.key.size()) {
        return std::nullopt;
    }
    KeyTexts texts;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto text = storage::key_text(table.columns[table.key[i]], columns[i]);
        if (!text) {
            return std::nullopt;
        }
        texts.push_back(*std::move(text));
    }
    return texts;
}

std::string array_of(std::string_view type, const std::vector<KeyTexts>& keys) {
    std::string elements = "{";
    for (const KeyTexts& key : keys) {
        elements += (elements.size() == 1 ? "" : ",") + quote_element(key.front());
    }
    elements += '}';
    return plain_literal(elements) + "::pg_catalog." + std::string(type) + "[]";
}

std::optional<std::vector<KeyTexts>> all_key_texts(
    const storage::Table& table, std::span<const index::Hit> hits
) {
    std::vector<KeyTexts> keys;
    for (const index::Hit& hit : hits) {
        auto texts = key_texts(table, hit.key);
        if (!texts) {
            return std::nullopt;
        }
        keys.push_back(*std::move(texts));
    }
    return keys;
}

/// (a = 1 AND b = 2) OR (a = 1 AND b = 3): the planner makes one bitmap of index scans of it.
std::string any_of_rows(
    const std::vector<std::string>& columns,
    const std::vector<std::string_view>& types,
    const std::vector<KeyTexts>& keys
) {
    std::string condition = "(";
    for (const KeyTexts& key : keys) {
        condition += condition.size() == 1 ? "(" : " OR (";
        for (std::size_t i = 0; i < columns.size(); ++i) {
            condition += (i == 0 ? "" : " AND ") + columns[i] + " OPERATOR(pg_catalog.=) " +
                         plain_literal(key[i]) + "::pg_catalog." + std::string(types[i]);
        }
        condition += ')';
    }
    return condition + ')';
}

}  // namespace

std::string plain_literal(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) {
        quoted += c;
        if (c == '\'') {
            quoted += c;
        }
    }
    return quoted + '\'';
}

std::string escaped_literal(std::string_view text) {
    std::string quoted = "E'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') {
            quoted += c;
        }
        quoted += c;
    }
    return quoted + '\'';
}

std::string quote_identifier(std::string_view name) {
    std::string quoted = "\"";
    for (const char c : name) {
        quoted += c;
        if (c == '"') {
            quoted += c;
        }
    }
    return quoted + '"';
}

std::string any_of(const storage::Table& table, std::string_view alias, const std::string& array) {
    const storage::Column& key = table.columns[table.key.front()];
    return quote_identifier(alias) + '.' + quote_identifier(key.name) +
           " OPERATOR(pg_catalog.=) ANY (" + array + ')';
}

std::optional<std::string> key_array(
    const storage::Table& table, std::span<const index::Hit> hits
) {
    const auto keys = all_key_texts(table, hits);
    return keys
               ? std::optional(array_of(type_name(table.columns[table.key.front()].type_oid), *keys)
                 )
               : std::nullopt;
}

std::optional<std::string> key_condition(
    const storage::Table& table, std::string_view alias, std::span<const index::Hit> hits
) {
    if (table.key.size() == 1) {
        const auto array = key_array(table, hits);
        return array ? std::optional(any_of(table, alias, *array)) : std::nullopt;
    }
    std::vector<std::string> columns;
    std::vector<std::string_view> types;
    for (const std::size_t key : table.key) {
        const storage::Column& column = table.columns[key];
        columns.push_back(quote_identifier(alias) + '.' + quote_identifier(column.name));
        types.push_back(type_name(column.type_oid));
    }
    const auto keys = all_key_texts(table, hits);
    return keys ? std::optional(any_of_rows(columns, types, *keys)) : std::nullopt;
}

std::optional<std::string> restrict_to_keys(
    std::string_view statement,
    const parser::Clauses& clauses,
    const parser::NearestNeighbourQuery& query,
    const Route& route,
    std::span<const index::Hit> hits
) {
    const auto condition = key_condition(route.table(), query.reference, hits);
    return condition ? std::optional(parser::add_condition(statement, clauses, *condition))
                     : std::nullopt;
}

std::size_t position_in_statement(
    std::string_view statement,
    const parser::Clauses& clauses,
    std::string_view restricted,
    bool counted,
    std::size_t position
) {
    if (counted) {
        const std::size_t searched = parser::characters(statement.substr(0, clauses.begin));
        position = position > count_begin.size() ? position - count_begin.size() + searched : 1;
    }
    return parser::position_before(statement, clauses, restricted, position);
}

bool shares_inferred_parameters(
    std::string_view statement,
    const parser::Clauses& clauses,
    std::span<const std::uint32_t> parameter_types
) {
    const std::set<std::uint32_t> inside =
        parser::parameters_in(statement.substr(clauses.begin, clauses.end - clauses.begin));
    std::set<std::uint32_t> around = parser::parameters_in(statement.substr(0, clauses.begin));
    around.merge(parser::parameters_in(statement.substr(clauses.end)));
    return std::any_of(inside.begin(), inside.end(), [&](std::uint32_t number) {
        const bool declared =
            number <= parameter_types.size() && !is_inferred(parameter_types[number - 1]);
        return !declared && around.contains(number);
    });
}

std::string count_rows(
    std::string_view restricted,
    const parser::Clauses& clauses,
    std::size_t statement_bytes,
    std::span<const ParameterValue> parameters
) {
    const std::size_t behind = statement_bytes - clauses.end;
    const std::string_view search =
        restricted.substr(clauses.begin, restricted.size() - behind - clauses.begin);
    return std::string(count_begin) + std::string(search) + "\n) AS veer_search" +
           mention_parameters(parser::parameters_in(search), parameters);
}

std::string mention_parameters(
    const std::set<std::uint32_t>& inside, std::span<const ParameterValue> parameters
) {
    std::string text;
    std::string_view separator = " WHERE ";
    for (std::uint32_t number = 1; number <= parameters.size(); ++number) {
        const ParameterValue& parameter = parameters[number - 1];
        if (is_inferred(parameter.declared_type) && !inside.contains(number)) {
            // Any bytes are a bytea; a text stays what it is.
            text += separator;
            text += "($" + std::to_string(number) +
                    (parameter.binary ? "::pg_catalog.bytea" : "::pg_catalog.text") +
                    " IS NULL OR true)";
            separator = " AND ";
        }
    }
    return text;
}

}  // namespace veer::router
