#include "parser/order.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <span>

namespace veer::parser {
namespace {

enum class Meaning : std::uint8_t { distance, similarity };

/// One key of ORDER BY, or why it is none of ours.
struct SortKey {
    Meaning meaning = Meaning::distance;
    Order order;
};

using ReadKey = std::variant<SortKey, Refusal>;

ReadKey key_of_output(const Output& output) {
    if (!output.distance) {
        return output.other_distance ? Refusal::query_vector : Refusal::no_distance_order;
    }
    const bool similarity = output.column.kind == OutputColumn::Kind::similarity;
    return SortKey{
        similarity ? Meaning::similarity : Meaning::distance, {*output.distance, std::nullopt}};
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
    const PgQuery__Node* subtracted = subtracted_from_one(node);
    std::variant<Distance, Refusal> read =
        read_distance(subtracted == nullptr ? node : subtracted, source);
    if (const auto* refusal = std::get_if<Refusal>(&read)) {
        return *refusal;
    }
    const Meaning meaning = subtracted == nullptr ? Meaning::distance : Meaning::similarity;
    return SortKey{meaning, {std::move(std::get<Distance>(read)), std::nullopt}};
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
    if (sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING ||
        (key.meaning == Meaning::similarity && !descending)) {
        return Refusal::no_distance_order;
    }
    if (descending || sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST) {
        return Refusal::descending;
    }
    return std::move(key.order);
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
    if (keys.size() > 1) {
        const bool any = std::any_of(keys.begin(), keys.end(), [&](const PgQuery__Node* key) {
            return is_ours(read_key(key->sort_by->node, outputs, source));
        });
        return any ? Refusal::order_keys : Refusal::no_distance_order;
    }
    const PgQuery__SortBy& sort = *keys.front()->sort_by;
    ReadKey key = read_key(sort.node, outputs, source);
    if (const auto* refusal = std::get_if<Refusal>(&key)) {
        return *refusal;
    }
    return apply_direction(sort, std::move(std::get<SortKey>(key)));
}

}  // namespace veer::parser
