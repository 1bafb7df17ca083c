#include "parser/from.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <span>

namespace veer::parser {
namespace {

bool present(const char* text) {
    return text != nullptr && *text != '\0';
}

std::optional<Source> read_table(const PgQuery__RangeVar& table) {
    if (table.inh == 0 || present(table.catalogname) || !present(table.relname)) {
        return std::nullopt;
    }
    Source source{
        .schema = std::nullopt,
        .table = table.relname,
        .reference = table.relname,
        .has_alias = table.alias != nullptr,
        .location = table.location < 0 ? 0 : static_cast<std::size_t>(table.location),
        .others = {}};
    if (present(table.schemaname)) {
        source.schema = table.schemaname;
    }
    if (table.alias != nullptr) {
        if (table.alias->n_colnames != 0 || !present(table.alias->aliasname)) {
            return std::nullopt;
        }
        source.reference = table.alias->aliasname;
    }
    return source;
}

/// The row that a table's name stands for, if it is not a table's.
const WithRow* row_of(const PgQuery__RangeVar& table, const std::vector<WithRow>& rows) {
    if (present(table.schemaname) || present(table.catalogname) || !present(table.relname)) {
        return nullptr;
    }
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const WithRow& row) {
        return row.name == table.relname;
    });
    return found == rows.end() ? nullptr : &*found;
}

/// False where its columns have other names, or it may be absent: then the vector may be NULL.
bool read_row(const PgQuery__RangeVar& table, const WithRow& row, bool may_be_absent, From& from) {
    const std::optional<Source> source = read_table(table);
    if (!source || may_be_absent) {
        return false;
    }
    for (const GivenVector& vector : row.vectors) {
        from.given.push_back({source->reference, vector.column, vector.vector});
    }
    return true;
}

using Rows = std::vector<WithRow>;

bool read_item(const PgQuery__Node* item, bool may_be_absent, const Rows& rows, From& from);

bool read_join(const PgQuery__JoinExpr& join, bool may_be_absent, const Rows& rows, From& from) {
    const bool inner = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_INNER;
    const bool left = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_LEFT;
    if ((!inner && !left) || join.alias != nullptr || join.join_using_alias != nullptr) {
        return false;
    }
    if (join.quals != nullptr) {
        from.conditions.push_back(join.quals);
    }
    const std::size_t before = from.tables.size();
    const std::size_t given = from.given.size();
    if (!read_item(join.larg, may_be_absent, rows, from)) {
        return false;
    }
    const std::size_t between = from.tables.size();
    if (!read_item(join.rarg, may_be_absent || left, rows, from)) {
        return false;
    }
    // Columns that both have are compared, as by ON, and are one column of the result.
    const bool merges = join.is_natural != 0 || join.n_using_clause != 0;
    if (merges && from.given.size() > given) {
        return false;
    }
    const bool of_tables = between > before && from.tables.size() > between;
    from.narrows = from.narrows || (inner && (of_tables || join.quals != nullptr));
    return true;
}

bool read_item(const PgQuery__Node* item, bool may_be_absent, const Rows& rows, From& from) {
    if (item != nullptr && item->node_case == PG_QUERY__NODE__NODE_JOIN_EXPR) {
        return read_join(*item->join_expr, may_be_absent, rows, from);
    }
    if (item == nullptr || item->node_case != PG_QUERY__NODE__NODE_RANGE_VAR) {
        return false;
    }
    if (const WithRow* const row = row_of(*item->range_var, rows)) {
        return read_row(*item->range_var, *row, may_be_absent, from);
    }
    std::optional<Source> source = read_table(*item->range_var);
    if (!source) {
        return false;
    }
    from.tables.push_back({*std::move(source), may_be_absent});
    return true;
}

/// Each is told of all others, and the select list is read once for each.
constexpr std::size_t tables_max = 32;

/// False where two are called the same, being of two schemas: added keys could not tell them apart.
bool tell_others(From& from) {
    for (From::Table& table : from.tables) {
        for (const From::Table& other : from.tables) {
            if (&other == &table) {
                continue;
            }
            if (other.source.reference == table.source.reference) {
                return false;
            }
            table.source.others.push_back(other.source.reference);
        }
    }
    return true;
}

}  // namespace

std::optional<From> read_from(const PgQuery__SelectStmt& select, const Rows& rows) {
    From from;
    for (const PgQuery__Node* item : std::span(select.from_clause, select.n_from_clause)) {
        if (!read_item(item, false, rows, from)) {
            return std::nullopt;
        }
    }
    if (from.tables.empty() || from.tables.size() > tables_max) {
        return std::nullopt;
    }
    from.narrows = from.narrows || (select.n_from_clause > 1 && from.tables.size() > 1);
    if (!tell_others(from)) {
        return std::nullopt;
    }
    return from;
}

}  // namespace veer::parser
