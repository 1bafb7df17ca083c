#include "storage/verify/key_range.hpp"

#include "storage/column_type.hpp"
#include "storage/key_text.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace veer::storage::verify {

namespace {

// pg_type.oid of Postgres' own types never change.
constexpr std::uint32_t text_oid = 25;
constexpr std::uint32_t varchar_oid = 1043;

bool is_text(const Column& column) {
    return column.type_oid == text_oid || column.type_oid == varchar_oid;
}

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        text.push_back(digits[value >> 4U]);
        text.push_back(digits[value & 15U]);
    }
    return text;
}

std::string bytea_literal(std::string_view bytes) {
    return "'\\x" + hex(bytes) + "'::pg_catalog.bytea";
}

bool is_negative(std::string_view bytes) {
    return !bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 128U) != 0;
}

/// A literal without a type takes the column's, so that an index of any of these types serves it.
std::string literal(const Column& column, std::string_view bytes) {
    // What is no value of the type, no comparison is made with: Postgres says so.
    return "'" + key_text(column, bytes).value_or("?") + "'";
}

/// One key's place in one part of the order, and the conditions of it.
struct Part {
    std::string value;  ///< the same for two keys that are equal in this part
    std::string equal;
    std::string after;
    std::string before;
    std::string up_to;
    bool two_values = false;  ///< nothing lies between two that differ
};

Part part(const std::string& expression, const std::string& literal) {
    return {
        literal,
        expression + " = " + literal,
        expression + " > " + literal,
        expression + " < " + literal,
        expression + " <= " + literal};
}

/// Empty is a condition that no row meets.
Part sign(const std::string& column, const std::string& zero, bool negative) {
    const std::string below = column + " < " + zero;
    const std::string above = column + " >= " + zero;
    return {
        negative ? "-" : "+",
        negative ? below : above,
        negative ? "" : below,
        negative ? above : "",
        negative ? "true" : above,
        true};
}

void append_parts(
    std::vector<Part>& parts,
    const Column& column,
    const SendFunctions& send,
    std::string_view bytes
) {
    const std::string name = quoted(column.name);
    if (is_text(column)) {
        const auto function = send.find(column.type_oid);
        const std::string sent =
            (function == send.end() ? "pg_catalog.textsend" : function->second) + "(" + name + ")";
        parts.push_back(part("pg_catalog.octet_length(" + sent + ")", std::to_string(bytes.size()))
        );
        parts.push_back(part(sent, bytea_literal(bytes)));
    } else {
        if (column_type(column.type_oid) != ColumnType::uuid) {
            const std::string zero(bytes.size(), '\0');
            parts.push_back(sign(name, literal(column, zero), is_negative(bytes)));
        }
        parts.push_back(part(name, literal(column, bytes)));
    }
}

std::vector<Part> parts_of(const Table& table, const SendFunctions& send, const RowKey& key) {
    std::vector<Part> parts;
    const std::vector<std::string_view> columns = key_columns(key);
    for (std::size_t i = 0; i < columns.size() && i < table.key.size(); ++i) {
        append_parts(parts, table.columns[table.key[i]], send, columns[i]);
    }
    return parts;
}

/// Conjunctions, of which those that no row meets are left out.
class Conditions {
  public:
    void add(const std::vector<Part>& prefix, std::size_t equal, std::vector<std::string> more) {
        if (std::any_of(more.begin(), more.end(), [](const auto& one) { return one.empty(); })) {
            return;
        }
        std::string all;
        for (std::size_t i = 0; i < equal; ++i) {
            all += (all.empty() ? "" : " AND ") + prefix[i].equal;
        }
        for (const std::string& one : more) {
            all += (all.empty() ? "" : " AND ") + one;
        }
        all_.push_back(std::move(all));
    }

    std::vector<std::string> take() { return std::move(all_); }

  private:
    std::vector<std::string> all_;
};

}  // namespace

std::vector<std::string> conditions(
    const Table& table, const SendFunctions& send, const KeyRange& range
) {
    if (!range.after.has_value() && !range.to.has_value()) {
        return {"true"};
    }
    const auto after = range.after ? parts_of(table, send, *range.after) : std::vector<Part>{};
    const auto to = range.to ? parts_of(table, send, *range.to) : std::vector<Part>{};
    const std::size_t last = std::max(after.size(), to.size()) - 1;
    Conditions all;
    std::size_t same = 0;  // parts that both bounds have in common
    if (range.after && range.to) {
        while (same < last && after[same].value == to[same].value) {
            ++same;
        }
        if (same == last) {
            all.add(to, same, {after[same].after, to[same].up_to});
            return all.take();
        }
    }
    if (range.after) {
        const std::size_t first = range.to ? same + 1 : 0;
        for (std::size_t i = last + 1; i-- > first;) {
            all.add(after, i, {after[i].after});
        }
    }
    if (range.after && range.to && !after[same].two_values) {
        all.add(to, same, {after[same].after, to[same].before});
    }
    if (range.to) {
        for (std::size_t i = range.after ? same + 1 : 0; i < last; ++i) {
            all.add(to, i, {to[i].before});
        }
        all.add(to, last, {to[last].up_to});
    }
    return all.take();
}

std::string key_condition(const Table& table, const SendFunctions& send, const RowKey& key) {
    std::string all;
    const std::vector<std::string_view> columns = key_columns(key);
    for (std::size_t i = 0; i < columns.size() && i < table.key.size(); ++i) {
        const Column& column = table.columns[table.key[i]];
        const std::string name = quoted(column.name);
        const std::string bytes{columns[i]};
        all += all.empty() ? "" : " AND ";
        if (is_text(column)) {
            // The bytes decide, whatever the collation takes for equal; the index finds it.
            const auto function = send.find(column.type_oid);
            all.append(name).append(" = pg_catalog.convert_from(").append(bytea_literal(bytes));
            all.append(", 'UTF8') AND ");
            all.append(function == send.end() ? "pg_catalog.textsend" : function->second);
            all.append("(").append(name).append(") = ").append(bytea_literal(bytes));
        } else {
            all += part(name, literal(column, bytes)).equal;
        }
    }
    return all;
}

bool key_is_ordered(const Table& table) {
    return std::none_of(table.key.begin(), table.key.end(), [&](std::size_t position) {
        return is_text(table.columns[position]);
    });
}

}  // namespace veer::storage::verify
