#include "proxy/candidate/condition_text.hpp"

#include "router/rewrite.hpp"
#include "storage/column_type.hpp"
#include "storage/key_text.hpp"
#include "storage/time_text.hpp"

#include <variant>

namespace veer::proxy::candidate {

namespace {

using index::Filter;
using index::FilterValue;
using storage::ColumnType;

/// Of the type that all values of a column's comparisons are written in: of whole numbers the
/// widest, as a statement may compare with one that the column cannot hold.
std::string_view type_name(ColumnType type) {
    switch (type) {
        case ColumnType::boolean:
            return "bool";
        case ColumnType::int2:
        case ColumnType::int4:
        case ColumnType::int8:
            return "int8";
        case ColumnType::float4:
        case ColumnType::float8:
            return "float8";
        case ColumnType::date:
            return "date";
        case ColumnType::timestamp:
            return "timestamp";
        case ColumnType::timestamptz:
            return "timestamptz";
        case ColumnType::uuid:
            return "uuid";
        case ColumnType::text:
            return "text";
        case ColumnType::int4_array:
        case ColumnType::int8_array:
        case ColumnType::text_array:
        case ColumnType::jsonb:
            break;  // compared with no value
    }
    return "text";
}

std::optional<std::string> text_of(ColumnType type, const FilterValue& value) {
    if (const auto* const truth = std::get_if<bool>(&value)) {
        return *truth ? "t" : "f";
    }
    if (const auto* const number = std::get_if<std::int64_t>(&value)) {
        switch (type) {
            case ColumnType::date:
            case ColumnType::timestamp:
            case ColumnType::timestamptz:
                return storage::time_text(type, *number);
            default:
                return std::to_string(*number);
        }
    }
    const auto* const bytes = std::get_if<std::string>(&value);
    if (bytes == nullptr) {
        return std::nullopt;  // floats are in no filter
    }
    storage::Column uuid;
    uuid.type_oid = 2950;
    return type == ColumnType::uuid ? storage::key_text(uuid, *bytes) : *bytes;
}

std::string_view symbol(Filter::Comparison comparison) {
    switch (comparison) {
        case Filter::Comparison::equal:
            return "=";
        case Filter::Comparison::not_equal:
            return "<>";
        case Filter::Comparison::less:
            return "<";
        case Filter::Comparison::less_or_equal:
            return "<=";
        case Filter::Comparison::greater:
            return ">";
        case Filter::Comparison::greater_or_equal:
            return ">=";
    }
    return "=";
}

class Writer {
  public:
    Writer(const storage::Table& table, std::string_view alias) : table_(table), alias_(alias) {}

    std::optional<std::string> write(const Filter& filter) const {
        if (filter.member) {
            return std::nullopt;
        }
        switch (filter.kind) {
            case Filter::Kind::all_of:
                return joined(filter, " AND ", "true");
            case Filter::Kind::any_of:
                return joined(filter, " OR ", "false");
            case Filter::Kind::negation: {
                const auto child = write(filter.children.front());
                return child ? std::optional("(NOT " + *child + ')') : std::nullopt;
            }
            case Filter::Kind::compare:
                return compared(filter);
            case Filter::Kind::one_of:
                return listed(filter);
            case Filter::Kind::is_null:
                return '(' + column(filter) + " IS NULL)";
            case Filter::Kind::unknown:
                return "(NULL::pg_catalog.bool)";
            case Filter::Kind::contains:
            case Filter::Kind::overlaps:
                return std::nullopt;
        }
        return std::nullopt;
    }

  private:
    std::optional<std::string> joined(
        const Filter& filter, std::string_view word, std::string_view none
    ) const {
        std::string text = "(";
        for (const Filter& child : filter.children) {
            const auto written = write(child);
            if (!written) {
                return std::nullopt;
            }
            text.append(text.size() == 1 ? "" : word).append(*written);
        }
        return text.append(text.size() == 1 ? none : "").append(")");
    }

    std::optional<std::string> compared(const Filter& filter) const {
        const auto value = literal(filter, filter.values.front());
        return value ? std::optional(
                           '(' + column(filter) + " OPERATOR(pg_catalog." +
                           std::string(symbol(filter.comparison)) + ") " + *value + ')'
                       )
                     : std::nullopt;
    }

    /// column = 1 OR column = 2 OR NULL: what IN means.
    std::optional<std::string> listed(const Filter& filter) const {
        std::string text = "(";
        for (const FilterValue& value : filter.values) {
            const auto written = literal(filter, value);
            if (!written) {
                return std::nullopt;
            }
            text.append(text.size() == 1 ? "" : ", ").append(*written);
        }
        const std::string null = "NULL::pg_catalog." +
                                 std::string(type_name(type_of(filter).value_or(ColumnType::text)));
        text.append(filter.null_listed ? ", " + null : "").append(")");
        // The operator is pg_catalog's: search_path is empty.
        return '(' + column(filter) + " IN " + text + ')';
    }

    std::optional<ColumnType> type_of(const Filter& filter) const {
        return storage::column_type(table_.columns[table_.copied.at(filter.column)].type_oid);
    }

    std::string column(const Filter& filter) const {
        const storage::Column& named = table_.columns[table_.copied.at(filter.column)];
        const bool text = type_of(filter) == ColumnType::text;
        return router::quote_identifier(alias_) + '.' + router::quote_identifier(named.name) +
               (text ? " COLLATE pg_catalog.\"C\"" : "");
    }

    std::optional<std::string> literal(const Filter& filter, const FilterValue& value) const {
        const auto type = type_of(filter);
        const auto text = type ? text_of(*type, value) : std::nullopt;
        if (!text) {
            return std::nullopt;
        }
        return router::plain_literal(*text) + "::pg_catalog." + std::string(type_name(*type));
    }

    const storage::Table& table_;
    std::string_view alias_;
};

}  // namespace

std::optional<std::string> condition_text(
    const index::Filter& filter, const storage::Table& table, std::string_view alias
) {
    return Writer(table, alias).write(filter);
}

}  // namespace veer::proxy::candidate
