#include "parser/order.hpp"

#include "parser/monotone.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <span>

namespace veer::parser {
namespace {

/// One key of ORDER BY.
struct SortKey {
    Order order;
    bool falling = false;  ///< the nearest row has the largest
};

using ReadKey = std::variant<SortKey, Refusal>;

ReadKey key_of_output(const Output& output) {
    if (!output.distance) {
        return output.other_distance ? Refusal::query_vector : Refusal::no_distance_order;
    }
    SortKey key{{*output.distance, std::nullopt}, output.falling.value_or(false)};
    key.order.by_similarity = output.falling.has_value();
    return key;
}

bool is_star(const Output& output) {
    return output.column.kind == OutputColumn::Kind::star;
}

/// Positions behind a * depend on how many columns it stands for.
ReadKey key_at_position(std::int64_t position, const std::vector<Output>& outputs) {
    if (position < 1 || position > static_cast<std::int64_t>(outputs.size())) {
        return Refusal::no_distance_order;
    }
    const auto index = static_cast<std::size_t>(position - 1);
    const bool star_before = std::any_of(
        outputs.begin(),
        outputs.begin() + static_cast<std::ptrdiff_t>(index),
        [](const Output& output) { return is_star(output); }
    );
    return star_before ? ReadKey(Refusal::no_distance_order) : key_of_output(outputs[index]);
}

/// The name of a bare column reference, which may be a label.
std::string_view bare_name(const PgQuery__Node* node) {
    const bool bare = node != nullptr && node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
                      node->column_ref->n_fields == 1;
    return bare ? name_of(node->column_ref->fields[0]) : std::string_view();
}

ReadKey key_of_expression(const PgQuery__Node* node, const Source& source) {
    const std::optional<Monotone> computed = read_monotone(node);
    std::variant<Distance, Refusal> read =
        read_distance(computed ? computed->operand : node, source);
    if (const auto* refusal = std::get_if<Refusal>(&read)) {
        return *refusal;
    }
    SortKey key{{std::move(std::get<Distance>(read)), std::nullopt}, computed && computed->falling};
    key.order.by_similarity = computed.has_value();
    return key;
}

ReadKey read_key(
    const PgQuery__Node* node, const std::vector<Output>& outputs, const Source& source
) {
    if (const std::optional<std::int64_t> position = integer_of(node)) {
        return key_at_position(*position, outputs);
    }
    const std::string_view name = bare_name(node);
    if (name.empty()) {
        return key_of_expression(node, source);
    }
    const auto labelled = [name](const Output& output) {
        return output.column.label == name;
    };
    const auto found = std::find_if(outputs.begin(), outputs.end(), labelled);
    // Two outputs of one label are ambiguous to Postgres, too, unless they are the same.
    if (found == outputs.end() || std::count_if(found, outputs.end(), labelled) > 1) {
        return Refusal::no_distance_order;
    }
    ReadKey key = key_of_output(*found);
    if (auto* sort_key = std::get_if<SortKey>(&key)) {
        sort_key->order.label = std::string(name);
    }
    return key;
}

bool is_ours(const ReadKey& key) {
    return std::holds_alternative<SortKey>(key) || std::get<Refusal>(key) == Refusal::query_vector;
}

/// Says what ORDER BY key [ASC | DESC | USING op] [NULLS FIRST | LAST] comes to.
std::variant<Order, Refusal> apply_direction(const PgQuery__SortBy& sort, SortKey key) {
    const bool descending = sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    if (sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING || (key.falling && !descending)) {
        return Refusal::no_distance_order;
    }
    const bool nulls_first = sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST;
    if (descending != key.falling || (nulls_first && !key.falling)) {
        return Refusal::descending;
    }
    key.order.nulls_last =
        !descending || sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST;
    return std::move(key.order);
}

/// A further key, which Postgres sorts by where the ones before it are equal. The name or number of
/// an output has that output's effects, which are known.
std::optional<Refusal> add_tie_breaker(
    const PgQuery__SortBy& sort, const Source& source, Order& order
) {
    if (sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING) {
        return Refusal::order_keys;
    }
    note_effects(sort.node, source, order.effects);
    order.tie_breakers = true;
    return order.effects.refusal;
}

}  // namespace

std::variant<Order, Refusal> read_order(
    const PgQuery__SelectStmt& select, const std::vector<Output>& outputs, const Source& source
) {
    const std::span<PgQuery__Node* const> keys(select.sort_clause, select.n_sort_clause);
    const bool sorts = std::all_of(keys.begin(), keys.end(), [](const PgQuery__Node* key) {
        return key->node_case == PG_QUERY__NODE__NODE_SORT_BY;
    });
    if (keys.empty() || !sorts) {
        return Refusal::no_distance_order;
    }
    const PgQuery__SortBy& sort = *keys.front()->sort_by;
    ReadKey key = read_key(sort.node, outputs, source);
    if (const auto* refusal = std::get_if<Refusal>(&key)) {
        const bool behind =
            std::any_of(keys.begin() + 1, keys.end(), [&](const PgQuery__Node* each) {
                return is_ours(read_key(each->sort_by->node, outputs, source));
            });
        return behind ? Refusal::order_keys : *refusal;
    }
    std::variant<Order, Refusal> order = apply_direction(sort, std::move(std::get<SortKey>(key)));
    auto* const accepted = std::get_if<Order>(&order);
    for (std::size_t i = 1; i < keys.size() && accepted != nullptr; ++i) {
        if (const auto refusal = add_tie_breaker(*keys[i]->sort_by, source, *accepted)) {
            return *refusal;
        }
    }
    return order;
}

}  // namespace veer::parser
