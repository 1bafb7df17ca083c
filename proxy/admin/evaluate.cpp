#include "proxy/admin/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace veer::proxy::admin {

namespace {

using Operator = Condition::Operator;

const Value& value_of(const Operand& operand, std::span<const Value> parameters) {
    static const Value null;
    if (const auto* value = std::get_if<Value>(&operand)) {
        return *value;
    }
    const std::size_t index = std::get<Parameter>(operand).index;
    return index < parameters.size() ? parameters[index] : null;
}

bool holds(Operator op, const Value& value, const Value& operand) {
    if (op == Operator::like || op == Operator::not_like) {
        const auto* const text = std::get_if<std::string>(&value);
        const auto* const pattern = std::get_if<std::string>(&operand);
        const bool like = text != nullptr && pattern != nullptr && is_like(*text, *pattern);
        return like == (op == Operator::like);
    }
    if (!comparable(value, operand)) {
        return false;
    }
    const int order = compare(value, operand);
    switch (op) {
        case Operator::equal:
        case Operator::in:
            return order == 0;
        case Operator::not_equal:
            return order != 0;
        case Operator::less:
            return order < 0;
        case Operator::less_or_equal:
            return order <= 0;
        case Operator::greater:
            return order > 0;
        case Operator::greater_or_equal:
            return order >= 0;
        default:
            return false;
    }
}

/// Whatever is compared with NULL is not true (three-valued logic; only AND joins, so false will
/// do).
bool holds(const Condition& condition, const Row& row, std::span<const Value> parameters) {
    const Value& value = row[condition.column];
    if (condition.op == Operator::is_null || condition.op == Operator::is_not_null) {
        return is_null(value) == (condition.op == Operator::is_null);
    }
    if (is_null(value)) {
        return false;
    }
    bool found = false;
    bool unknown = false;
    for (const Operand& operand : condition.operands) {
        const Value& other = value_of(operand, parameters);
        unknown = unknown || is_null(other);
        const Operator op = condition.op == Operator::not_in ? Operator::in : condition.op;
        found = found || (!is_null(other) && holds(op, value, other));
    }
    return condition.op == Operator::not_in ? !found && !unknown : found;
}

bool comes_first(const Row& left, const Row& right, std::span<const SortKey> order) {
    for (const SortKey& key : order) {
        const Value& a = left[key.column];
        const Value& b = right[key.column];
        if (is_null(a) || is_null(b)) {
            if (is_null(a) != is_null(b)) {
                return is_null(a) == key.nulls_first;
            }
        } else if (const int way = compare(a, b); way != 0) {
            return (way < 0) != key.descending;
        }
    }
    return false;
}

/// NULL is none. A negative one is nothing.
std::optional<std::size_t> row_count(
    const std::optional<Operand>& operand, std::span<const Value> parameters, std::size_t otherwise
) {
    if (!operand || is_null(value_of(*operand, parameters))) {
        return otherwise;
    }
    const Value& value = value_of(*operand, parameters);
    const auto* const whole = std::get_if<std::int64_t>(&value);
    if (whole != nullptr && *whole >= 0) {
        return static_cast<std::size_t>(*whole);
    }
    const auto* const fraction = std::get_if<double>(&value);
    if (fraction != nullptr && *fraction >= 0 && *fraction < 1e15) {
        return static_cast<std::size_t>(std::llround(*fraction));
    }
    return std::nullopt;
}

Row project(const Select& select, const Row& row, std::size_t total) {
    Row projected;
    for (const Output& output : select.outputs) {
        switch (output.kind) {
            case Output::Kind::column:
                projected.push_back(row[output.column]);
                break;
            case Output::Kind::count:
                projected.emplace_back(static_cast<std::int64_t>(total));
                break;
            case Output::Kind::constant:
                projected.push_back(output.constant);
                break;
        }
    }
    return projected;
}

}  // namespace

Result<std::vector<Row>> evaluate(
    const Select& select, const Snapshot& snapshot, std::span<const Value> parameters
) {
    const auto limit = row_count(select.limit, parameters, std::numeric_limits<std::size_t>::max());
    const auto offset = row_count(select.offset, parameters, 0);
    if (!limit || !offset) {
        return Failure{
            .sqlstate = limit ? "2201X" : "2201W",
            .message = limit ? "OFFSET must not be negative" : "LIMIT must not be negative"};
    }
    std::vector<Row> rows;
    if (select.relation == nullptr) {
        rows.emplace_back();
    } else {
        rows = select.relation->rows(snapshot);
    }
    std::erase_if(rows, [&](const Row& row) {
        return !std::all_of(
            select.conditions.begin(),
            select.conditions.end(),
            [&](const Condition& each) { return holds(each, row, parameters); }
        );
    });
    std::stable_sort(rows.begin(), rows.end(), [&select](const Row& left, const Row& right) {
        return comes_first(left, right, select.order);
    });
    const bool counts =
        std::any_of(select.outputs.begin(), select.outputs.end(), [](const Output& each) {
            return each.kind == Output::Kind::count;
        });
    const std::size_t total = rows.size();
    if (counts) {
        rows.assign(1, {});
    }
    std::vector<Row> projected;
    for (std::size_t i = std::min(*offset, rows.size());
         i < rows.size() && projected.size() < *limit;
         ++i) {
        projected.push_back(project(select, rows[i], total));
    }
    return projected;
}

}  // namespace veer::proxy::admin
