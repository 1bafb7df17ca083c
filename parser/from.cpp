#include "parser/from.hpp"

#include <pg_query/pg_query.pb-c.h>

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

bool read_item(const PgQuery__Node* item, bool may_be_absent, From& from);

bool read_join(const PgQuery__JoinExpr& join, bool may_be_absent, From& from) {
    const bool inner = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_INNER;
    const bool left = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_LEFT;
    if ((!inner && !left) || join.alias != nullptr || join.join_using_alias != nullptr) {
        return false;
    }
    from.narrows = from.narrows || inner;
    if (join.quals != nullptr) {
        from.conditions.push_back(join.quals);
    }
    return read_item(join.larg, may_be_absent, from) &&
           read_item(join.rarg, may_be_absent || left, from);
}

bool read_item(const PgQuery__Node* item, bool may_be_absent, From& from) {
    if (item != nullptr && item->node_case == PG_QUERY__NODE__NODE_JOIN_EXPR) {
        return read_join(*item->join_expr, may_be_absent, from);
    }
    if (item == nullptr || item->node_case != PG_QUERY__NODE__NODE_RANGE_VAR) {
        return false;
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

std::optional<From> read_from(const PgQuery__SelectStmt& select) {
    From from;
    for (const PgQuery__Node* item : std::span(select.from_clause, select.n_from_clause)) {
        if (!read_item(item, false, from)) {
            return std::nullopt;
        }
    }
    if (from.tables.empty() || from.tables.size() > tables_max) {
        return std::nullopt;
    }
    from.narrows = from.narrows || select.n_from_clause > 1;
    if (!tell_others(from)) {
        return std::nullopt;
    }
    return from;
}

}  // namespace veer::parser
