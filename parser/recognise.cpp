#include "parser/recognise.hpp"

#include "parser/effects.hpp"
#include "parser/expression.hpp"
#include "parser/from.hpp"
#include "parser/lateral.hpp"
#include "parser/messages.hpp"
#include "parser/order.hpp"
#include "parser/outputs.hpp"
#include "parser/read_condition.hpp"
#include "parser/rerank.hpp"
#include "parser/shape.hpp"
#include "parser/stored_vector.hpp"
#include "parser/tree.hpp"
#include "parser/with_rows.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <map>
#include <span>

namespace veer::parser {
namespace {

/// PostgreSQL's own bound, MaxTupleAttributeNumber, and one of keys that nobody sorts by.
constexpr std::size_t outputs_max = 1664;
constexpr std::size_t sort_keys_max = 64;

/// What rules a select out whatever its clauses say.
std::optional<Refusal> refuse_kind(
    const PgQuery__SelectStmt& select, const Shape& shape, bool with_is_read
) {
    if (select.op != PG_QUERY__SET_OPERATION__SETOP_NONE) {
        return Refusal::set_operation;
    }
    if (select.with_clause != nullptr && !with_is_read) {
        return Refusal::with_clause;
    }
    if (shape.begin == Shape::Begin::parenthesis) {
        return Refusal::set_operation;
    }
    if (select.n_values_lists != 0 || shape.begin != Shape::Begin::select) {
        return Refusal::not_select;  // VALUES, or TABLE t, which cannot take a WHERE
    }
    if (select.n_target_list > outputs_max || select.n_sort_clause > sort_keys_max) {
        return Refusal::too_long;
    }
    if (select.n_sort_clause == 0) {
        return Refusal::no_distance_order;
    }
    if (select.into_clause != nullptr || select.n_locking_clause != 0) {
        return Refusal::locking;
    }
    if (select.n_distinct_clause != 0 || select.n_group_clause != 0 ||
        select.having_clause != nullptr || select.n_window_clause != 0) {
        return Refusal::grouping;
    }
    return std::nullopt;
}

std::optional<Refusal> read_counts(
    const PgQuery__SelectStmt& select, NearestNeighbourQuery& query
) {
    if (select.limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES) {
        return Refusal::limit_form;
    }
    const std::optional<Count> limit = read_count(select.limit_count);
    const std::optional<Count> offset = read_count(select.limit_offset);
    if (!limit || !offset) {
        return Refusal::limit_form;
    }
    if (std::holds_alternative<std::monostate>(limit->value)) {
        return Refusal::no_limit;
    }
    query.limit = *limit;
    query.offset = *offset;
    return std::nullopt;
}

/// A table with what the select list and ORDER BY are to it.
struct Ordered {
    Source source;
    std::vector<Output> outputs;
    Order order;
};

/// Finds the table whose column the statement orders by.
std::variant<Ordered, Refusal> read_ordered(const PgQuery__SelectStmt& select, const From& from) {
    Refusal refused = Refusal::no_distance_order;
    for (const auto& [source, may_be_absent] : from.tables) {
        std::vector<Output> outputs = read_outputs(select, source);
        std::variant<Order, Refusal> order = read_order(select, outputs, source);
        if (auto* found = std::get_if<Order>(&order)) {
            if (may_be_absent) {
                return Refusal::join;  // rows without a vector are in the answer, too
            }
            return Ordered{source, std::move(outputs), std::move(*found)};
        }
        if (refused == Refusal::no_distance_order) {
            refused = std::get<Refusal>(order);
        }
    }
    return refused;
}

/// What a SELECT is read with, of the statement around it.
struct Around {
    std::vector<GivenVector> given = {};
    const Reranking* reranking = nullptr;  ///< whose order is that of the rows
    std::vector<WithRow> rows = {};        ///< all that its own WITH clause has
};

/// The same, where another SELECT sorts what this one has chosen.
std::variant<Ordered, Refusal> read_chosen(
    const PgQuery__SelectStmt& select,
    const From& from,
    const Reranking& reranking,
    NearestNeighbourQuery& query
) {
    if (from.tables.size() != 1) {
        return Refusal::derived_vector;  // the column may be another table's
    }
    const Source& source = from.tables.front().source;
    std::vector<Output> outputs = read_outputs(select, source);
    std::variant<Order, Refusal> order =
        read_choice(select, source, outputs, reranking, query.reranked.emplace());
    if (const auto* refusal = std::get_if<Refusal>(&order)) {
        return *refusal;
    }
    return Ordered{source, std::move(outputs), std::get<Order>(std::move(order))};
}

/// How many rows the answer has, and of how many they are chosen.
std::optional<Refusal> read_counts(
    const PgQuery__SelectStmt& select, const Around& around, NearestNeighbourQuery& query
) {
    const std::optional<Refusal> refusal = read_counts(select, query);
    if (refusal || around.reranking == nullptr) {
        return refusal;
    }
    if (!std::holds_alternative<std::monostate>(query.offset.value)) {
        return Refusal::derived_vector;
    }
    query.reranked->limit = query.limit;
    query.may_raise = around.reranking->may_raise;
    return read_counts(*around.reranking->whole, query);
}

/// Adds what WHERE, ON and the outputs do besides giving values.
std::optional<Refusal> read_effects(
    const PgQuery__SelectStmt& select,
    const From& from,
    const Ordered& ordered,
    NearestNeighbourQuery& query
) {
    Effects effects;
    note_effects(select.where_clause, ordered.source, effects);
    for (const PgQuery__Node* condition : from.conditions) {
        note_effects(condition, ordered.source, effects);
    }
    if (effects.refusal) {
        return effects.refusal;
    }
    effects.add(ordered.order.effects);
    if (!effects.ranked.empty()) {
        return Refusal::grouping;  // not allowed in WHERE, and no order of the nearest
    }
    for (const Output& output : ordered.outputs) {
        effects.add(output.effects);
    }
    for (const Distance& ranked : effects.ranked) {
        if (query.reranked || !ranked.same_measure(ordered.order.distance)) {
            return Refusal::grouping;
        }
        query.ranked.push_back(ranked.vector);
    }
    if (const auto& stored = ordered.order.distance.vector.stored) {
        effects.tables.push_back({stored->schema, stored->table});
    }
    for (JoinedTable& table : effects.tables) {
        if (table != JoinedTable{ordered.source.schema, ordered.source.table}) {
            query.joined.push_back(std::move(table));
        }
    }
    query.may_raise = query.may_raise || effects.may_raise ||
                      effects.measures_others(ordered.order.distance.from);
    query.columns = std::move(effects.columns);
    return std::nullopt;
}

void read_joined(const From& from, const Source& source, NearestNeighbourQuery& query) {
    query.inner_join = from.narrows;
    for (const From::Table& table : from.tables) {
        if (table.source.location != source.location) {
            query.joined.push_back({table.source.schema, table.source.table});
        }
    }
}

/// Where a condition may be added, made sure of by adding one.
std::variant<Clauses, Refusal> read_clauses(
    std::string_view text, const PgQuery__SelectStmt& select, const Source& source
) {
    const std::optional<Clauses> clauses = find_clauses(text, source.location);
    const bool filtered = select.where_clause != nullptr;
    if (!clauses || clauses->condition.has_value() != filtered) {
        return Refusal::expression;
    }
    const std::string changed = add_condition(text, *clauses, "veer.added");
    if (scan_shape(changed).refusal) {
        return Refusal::too_long;
    }
    if (!is_added_condition(Tree(changed), "veer", "added")) {
        return Refusal::expression;
    }
    return *clauses;
}

/// Finds out what the whole text says of a stored vector: where its sub-select ends, and which of
/// its parameters are of one type wherever they stand. False where no end can be found.
bool finish_stored_vector(std::string_view text, NearestNeighbourQuery& query) {
    std::map<std::uint32_t, unsigned> compared;
    std::vector<StoredVector*> mentions;
    for (OutputColumn& output : query.outputs) {
        if (output.vector.stored) {
            mentions.push_back(&*output.vector.stored);
        }
    }
    if (!query.vector.stored) {
        return true;
    }
    StoredVector& stored = *query.vector.stored;
    mentions.push_back(&stored);
    const std::string column = stored.condition.column;
    for (StoredVector* mention : mentions) {
        note_shared_parameters(text, mention->condition);
        if (mention->schema == query.schema && mention->table == query.table) {
            count_compared(mention->condition, column, compared);
        }
    }
    if (query.condition && stored.schema == query.schema && stored.table == query.table) {
        count_compared(*query.condition, column, compared);
    }
    for (const auto& [number, count] : count_parameters(text)) {
        if (compared[number] == count) {
            stored.told_by_column.push_back(number);
        }
    }
    const auto end = end_of_parenthesis(text, stored.begin);
    stored.end = end.value_or(0);
    return end.has_value();
}

/// Names of the SELECT's own tables come before those of tables around it.
void add_given(const std::vector<GivenVector>& given, From& from) {
    for (const GivenVector& each : given) {
        const bool hidden =
            std::any_of(from.tables.begin(), from.tables.end(), [&](const From::Table& table) {
                return table.source.reference == each.table;
            });
        for (From::Table& table : from.tables) {
            if (!hidden) {
                table.source.given.push_back(each);
            }
        }
    }
}

/// In a sub-select they come before all tables.
void add_rows(const std::vector<WithRow>& rows, From& from) {
    for (From::Table& table : from.tables) {
        for (const WithRow& row : rows) {
            std::copy(
                row.vectors.begin(), row.vectors.end(), std::back_inserter(table.source.rows)
            );
        }
    }
}

Recognition recognise_select(
    std::string_view text,
    const PgQuery__SelectStmt& select,
    const Shape& shape,
    const Around& around = {}
) {
    if (const std::optional<Refusal> refusal = refuse_kind(select, shape, !around.rows.empty())) {
        return *refusal;
    }
    std::optional<From> from = read_from(select, around.rows);
    if (!from) {
        return Refusal::join;
    }
    add_given(around.given, *from);
    add_given(from->given, *from);
    add_rows(around.rows, *from);
    NearestNeighbourQuery query;
    std::variant<Ordered, Refusal> read =
        around.reranking == nullptr ? read_ordered(select, *from)
                                    : read_chosen(select, *from, *around.reranking, query);
    if (const auto* refusal = std::get_if<Refusal>(&read)) {
        return *refusal;
    }
    auto& ordered = std::get<Ordered>(read);
    auto& [source, outputs, order] = ordered;
    std::variant<std::vector<OutputColumn>, Refusal> columns =
        accept_outputs(outputs, order.distance);
    if (const auto* refusal = std::get_if<Refusal>(&columns)) {
        return *refusal;
    }
    if (const std::optional<Refusal> refusal = read_counts(select, around, query)) {
        return *refusal;
    }
    // Last, so that whoever counts refusals sees how many statements only their filter keeps away.
    if (const std::optional<Refusal> refusal = read_effects(select, *from, ordered, query)) {
        return *refusal;
    }
    const std::variant<Clauses, Refusal> clauses = read_clauses(text, select, source);
    if (const auto* refusal = std::get_if<Refusal>(&clauses)) {
        return *refusal;
    }
    if (select.where_clause != nullptr) {
        query.condition = read_condition(select.where_clause, source);
        note_shared_parameters(text, *query.condition);
    }
    read_joined(*from, source, query);
    query.by_similarity = order.by_similarity;
    query.tie_breakers = order.tie_breakers;
    query.nulls_excluded =
        order.nulls_last || excludes_nulls(select.where_clause, source, order.distance.from);
    query.schema = std::move(source.schema);
    query.table = std::move(source.table);
    query.reference = std::move(source.reference);
    query.column = std::move(order.distance.from.column);
    query.cast = std::move(order.distance.from.cast);
    query.legacy = std::move(order.distance.from.legacy);
    query.operator_name = std::move(order.distance.operator_name);
    query.operator_schema = std::move(order.distance.operator_schema);
    query.vector = std::move(order.distance.vector);
    query.outputs = std::move(std::get<std::vector<OutputColumn>>(columns));
    const bool foreign = !query.cast.is_none() || query.legacy;
    if ((query.vector.stored && foreign) || !finish_stored_vector(text, query)) {
        return Refusal::query_vector;
    }
    query.order_label = std::move(order.label);
    query.clauses = std::get<Clauses>(clauses);
    query.parameters = shape.parameters;
    return query;
}

/// A refusal of something that does order by a distance.
bool mentions_distance(Refusal refusal) {
    return refusal != Refusal::no_distance_order && refusal != Refusal::not_select &&
           refusal != Refusal::join && refusal != Refusal::grouping;
}

/// The SELECTs whose rows another one is made of: sub-selects of its FROM clause, and of WITH.
class Parts {
  public:
    explicit Parts(const PgQuery__SelectStmt& whole) {
        for (const PgQuery__Node* item : std::span(whole.from_clause, whole.n_from_clause)) {
            add_item(item);
        }
        if (whole.with_clause != nullptr) {
            add_with(*whole.with_clause);
        }
    }

    std::vector<const PgQuery__SelectStmt*> selects;
    std::vector<std::string> names;  // of WITH
    bool recursive = false;

  private:
    void add_item(const PgQuery__Node* item) {
        if (item->node_case == PG_QUERY__NODE__NODE_JOIN_EXPR) {
            add_item(item->join_expr->larg);
            add_item(item->join_expr->rarg);
        } else if (item->node_case == PG_QUERY__NODE__NODE_RANGE_SUBSELECT && item->range_subselect->lateral == 0) {
            add_query(item->range_subselect->subquery);
        }
    }

    void add_with(const PgQuery__WithClause& with) {
        recursive = with.recursive != 0;
        for (const PgQuery__Node* item : std::span(with.ctes, with.n_ctes)) {
            names.emplace_back(item->common_table_expr->ctename);
            add_query(item->common_table_expr->ctequery);
        }
    }

    void add_query(const PgQuery__Node* query) {
        if (query != nullptr && query->node_case == PG_QUERY__NODE__NODE_SELECT_STMT) {
            selects.push_back(query->select_stmt);
        }
    }
};

bool is_named(const std::vector<std::string>& names, const JoinedTable& table) {
    return !table.schema && std::find(names.begin(), names.end(), table.table) != names.end();
}

/// SELECT id, 1 - d AS s FROM (search) AS t
bool shows_all_rows(const PgQuery__SelectStmt& whole) {
    return whole.n_from_clause == 1 &&
           whole.from_clause[0]->node_case == PG_QUERY__NODE__NODE_RANGE_SUBSELECT &&
           keeps_rows(whole);
}

/// Adds what is around the search; false where that is not to be run with other rows inside.
std::optional<Refusal> read_wrapper(
    const PgQuery__SelectStmt& whole, const Parts& parts, NearestNeighbourQuery& query
) {
    Effects effects;
    note_query_effects(whole, effects);
    if (effects.refusal) {
        return effects.refusal;
    }
    const bool shadowed =
        is_named(parts.names, {query.schema, query.table}) ||
        std::any_of(query.joined.begin(), query.joined.end(), [&](const JoinedTable& joined) {
            return is_named(parts.names, joined);
        });
    if (shadowed || parts.recursive) {
        return Refusal::with_clause;
    }
    query.joined.clear();
    for (JoinedTable& table : effects.tables) {
        if (!is_named(parts.names, table)) {
            query.joined.push_back(std::move(table));
        }
    }
    query.wrapped = true;
    query.all_rows_shown = query.reranked || shows_all_rows(whole);
    return std::nullopt;
}

/// A search beside rows with its vectors: its rows are the statement's, and no others.
Recognition recognise_lateral(
    std::string_view text,
    const PgQuery__SelectStmt& whole,
    const Shape& shape,
    const LateralSearch& lateral,
    Refusal otherwise
) {
    Recognition recognition =
        recognise_select(text, *lateral.select, shape, {.given = lateral.given});
    if (auto* query = std::get_if<NearestNeighbourQuery>(&recognition)) {
        if (const auto refusal = read_wrapper(whole, Parts(whole), *query)) {
            return *refusal;
        }
        if (!lateral.note_others(*query)) {
            return Refusal::query_vector;
        }
        query->all_rows_shown = true;
        return recognition;
    }
    const Refusal refusal = std::get<Refusal>(recognition);
    return mentions_distance(refusal) ? refusal : otherwise;
}

/// A search that takes its vector from its own WITH clause. Its rows are the statement's.
Recognition recognise_with_rows(
    std::string_view text,
    const PgQuery__SelectStmt& whole,
    const Shape& shape,
    const std::vector<WithRow>& rows
) {
    Recognition recognition = recognise_select(text, whole, shape, {.rows = rows});
    if (auto* query = std::get_if<NearestNeighbourQuery>(&recognition)) {
        if (const auto refusal = read_wrapper(whole, Parts(whole), *query)) {
            return *refusal;
        }
        query->all_rows_shown = true;
    }
    return recognition;
}

Recognition recognise_part(
    std::string_view text,
    const PgQuery__SelectStmt& whole,
    const PgQuery__SelectStmt& part,
    const Shape& shape
) {
    Recognition recognition = recognise_select(text, part, shape);
    const auto* const refusal = std::get_if<Refusal>(&recognition);
    if (refusal != nullptr && *refusal == Refusal::derived_vector) {
        if (const std::optional<Reranking> reranking = read_reranking(whole, part)) {
            return recognise_select(text, part, shape, {.reranking = &*reranking});
        }
    }
    return recognition;
}

/// A statement around one search with a LIMIT of its own; `otherwise` where there is none.
Recognition recognise_wrapped(
    std::string_view text, const PgQuery__SelectStmt& whole, const Shape& shape, Refusal otherwise
) {
    if (whole.op != PG_QUERY__SET_OPERATION__SETOP_NONE || whole.into_clause != nullptr ||
        whole.n_locking_clause != 0) {
        return otherwise;
    }
    Shape inner = shape;
    inner.begin = Shape::Begin::select;
    if (const std::optional<std::vector<WithRow>> rows = read_with_rows(whole)) {
        Recognition recognition = recognise_with_rows(text, whole, inner, *rows);
        const auto* const refusal = std::get_if<Refusal>(&recognition);
        if (refusal == nullptr || mentions_distance(*refusal)) {
            return recognition;
        }
    }
    if (const std::optional<LateralSearch> lateral = read_lateral(whole)) {
        return recognise_lateral(text, whole, inner, *lateral, otherwise);
    }
    const Parts parts(whole);
    std::optional<NearestNeighbourQuery> found;
    for (const PgQuery__SelectStmt* part : parts.selects) {
        Recognition recognition = recognise_part(text, whole, *part, inner);
        if (auto* query = std::get_if<NearestNeighbourQuery>(&recognition)) {
            if (found) {
                return otherwise;  // two searches
            }
            found = std::move(*query);
        } else if (mentions_distance(std::get<Refusal>(recognition))) {
            otherwise = std::get<Refusal>(recognition);
        }
    }
    if (!found) {
        return otherwise;
    }
    if (const std::optional<Refusal> refusal = read_wrapper(whole, parts, *found)) {
        return *refusal;
    }
    return *std::move(found);
}

}  // namespace

bool mentions_distance_operator(std::string_view sql) {
    const char* at = sql.data();
    std::size_t left = sql.size();
    while (left >= 3) {
        const auto* found = static_cast<const char*>(std::memchr(at, '<', left - 2));
        if (found == nullptr) {
            return false;
        }
        if (found[2] == '>' && found[1] != '\0' && std::strchr("-=#+~%", found[1]) != nullptr) {
            return true;
        }
        left -= static_cast<std::size_t>(found + 1 - at);
        at = found + 1;
    }
    return false;
}

Recognition recognise(std::string_view normalised_text) {
    const Shape shape = scan_shape(normalised_text);
    if (shape.refusal) {
        return *shape.refusal;
    }
    const Tree tree{std::string(normalised_text)};
    if (tree.get() == nullptr) {
        return Refusal::parse_error;
    }
    if (tree.get()->n_stmts > 1) {
        return Refusal::multiple_statements;
    }
    if (tree.get()->n_stmts == 0) {
        return Refusal::not_select;
    }
    const PgQuery__Node* statement = tree.get()->stmts[0]->stmt;
    if (statement == nullptr || statement->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) {
        return Refusal::not_select;
    }
    Recognition recognition = recognise_select(normalised_text, *statement->select_stmt, shape);
    const auto* refusal = std::get_if<Refusal>(&recognition);
    if (refusal == nullptr) {
        return recognition;
    }
    return recognise_wrapped(normalised_text, *statement->select_stmt, shape, *refusal);
}

}  // namespace veer::parser
