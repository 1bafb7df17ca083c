#include "proxy/candidate/nearest_statement.hpp"

#include "proxy/candidate/row_text.hpp"
#include "router/rewrite.hpp"
#include "storage/row.hpp"

#include <charconv>
#include <cmath>

namespace veer::proxy::candidate {

namespace {

using router::quote_identifier;

std::string sent_as_hex(const storage::Column& column) {
    return "pg_catalog.encode(pg_catalog." + std::string(send_function(column.type_oid)) + '(' +
           column_reference(column) + "), 'hex'), ";
}

}  // namespace

std::string column_reference(const storage::Column& column) {
    return quote_identifier(table_alias) + '.' + quote_identifier(column.name);
}

std::string table_name(const storage::Table& table) {
    return quote_identifier(table.schema) + '.' + quote_identifier(table.name);
}

std::string distance_by_operator(
    const std::string& left,
    std::string_view schema,
    std::string_view operator_name,
    std::string_view type
) {
    return left + " OPERATOR(" + quote_identifier(schema) + '.' + std::string(operator_name) +
           ") $1::" + std::string(type);
}

std::string distance_by_function(
    const std::string& left,
    std::string_view schema,
    std::string_view function_name,
    std::string_view type
) {
    return quote_identifier(schema) + '.' + quote_identifier(function_name) + '(' + left +
           ", $1::" + std::string(type) + ')';
}

std::string select_rows(
    const storage::Table& table, std::span<const std::size_t> columns, const std::string& distance
) {
    std::string sql = "SELECT ";
    for (const std::size_t key : table.key) {
        sql += sent_as_hex(table.columns[key]);
    }
    for (const std::size_t column : columns) {
        sql += sent_as_hex(table.columns[table.copied.at(column)]);
    }
    return sql + distance + " FROM " + table_name(table) + " AS " + quote_identifier(table_alias) +
           ' ';
}

std::optional<index::Hit> read_row(
    const storage::source::QueryResult& result, int row, std::size_t key_columns
) {
    const int last = result.columns() - 1;
    const auto keys = static_cast<int>(key_columns);
    index::Hit hit;
    const std::string text = result.is_null(row, last) ? "NaN" : result.text(row, last);
    std::from_chars(text.data(), text.data() + text.size(), hit.distance);
    if (std::isnan(hit.distance)) {
        return std::nullopt;
    }
    for (int column = 0; column < last; ++column) {
        const bool null = result.is_null(row, column);
        if (column < keys && null) {
            return std::nullopt;
        }
        std::optional<std::string> bytes;
        if (!null) {
            bytes = from_hex(result.text(row, column));
        }
        if (column < keys) {
            storage::append_key_column(hit.key, *bytes);
        } else {
            hit.values.push_back(std::move(bytes));
        }
    }
    return hit;
}

}  // namespace veer::proxy::candidate
