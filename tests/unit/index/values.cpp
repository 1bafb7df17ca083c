#include "tests/unit/index/values.hpp"

#include "storage/byte_writer.hpp"

#include <bit>
#include <cmath>

namespace veer::index::test {

namespace {

using storage::ColumnType;

/// Less, equal or greater, as Postgres compares values of one type.
int order(const FilterValue& left, const FilterValue& right) {
    if (const auto* const a = std::get_if<double>(&left)) {
        const double b = std::get<double>(right);
        if (std::isnan(*a) || std::isnan(b)) {
            return static_cast<int>(std::isnan(*a)) - static_cast<int>(std::isnan(b));
        }
        return *a < b ? -1 : static_cast<int>(*a > b);
    }
    return left < right ? -1 : static_cast<int>(right < left);
}

bool holds(Filter::Comparison comparison, int order) {
    switch (comparison) {
        case Filter::Comparison::equal:
            return order == 0;
        case Filter::Comparison::not_equal:
            return order != 0;
        case Filter::Comparison::less:
            return order < 0;
        case Filter::Comparison::less_or_equal:
            return order <= 0;
        case Filter::Comparison::greater:
            return order > 0;
        case Filter::Comparison::greater_or_equal:
            return order >= 0;
    }
    return false;
}

}  // namespace

storage::ColumnValue sent(ColumnType type, const std::optional<FilterValue>& value) {
    if (!value) {
        return storage::NullValue{};
    }
    storage::ByteWriter out;
    switch (type) {
        case ColumnType::boolean:
            return out.u8(std::get<bool>(*value) ? 1 : 0).take();
        case ColumnType::int2:
            return out.be16(static_cast<std::uint16_t>(std::get<std::int64_t>(*value))).take();
        case ColumnType::int4:
        case ColumnType::date:
            return out.be32(static_cast<std::uint32_t>(std::get<std::int64_t>(*value))).take();
        case ColumnType::int8:
        case ColumnType::timestamp:
        case ColumnType::timestamptz:
            return out.be64(static_cast<std::uint64_t>(std::get<std::int64_t>(*value))).take();
        case ColumnType::float4:
            return out
                .be32(std::bit_cast<std::uint32_t>(static_cast<float>(std::get<double>(*value))))
                .take();
        case ColumnType::float8:
            return out.be64(std::bit_cast<std::uint64_t>(std::get<double>(*value))).take();
        case ColumnType::uuid:
        case ColumnType::text:
            return std::get<std::string>(*value);
        default:
            return storage::NullValue{};
    }
}

storage::ColumnValue int4(std::int32_t value) {
    return sent(ColumnType::int4, std::int64_t{value});
}

storage::ColumnValue text(std::string value) {
    return value;
}

Filter compare(std::size_t column, Filter::Comparison comparison, FilterValue value) {
    Filter filter;
    filter.kind = Filter::Kind::compare;
    filter.comparison = comparison;
    filter.column = column;
    filter.values = {std::move(value)};
    return filter;
}

Filter equal(std::size_t column, FilterValue value) {
    return compare(column, Filter::Comparison::equal, std::move(value));
}

Filter is_null(std::size_t column) {
    Filter filter;
    filter.kind = Filter::Kind::is_null;
    filter.column = column;
    return filter;
}

Filter none_of(Filter child) {
    Filter filter;
    filter.kind = Filter::Kind::negation;
    filter.children = {std::move(child)};
    return filter;
}

Filter all_of(std::vector<Filter> children) {
    Filter filter;
    filter.children = std::move(children);
    return filter;
}

Filter any_of(std::vector<Filter> children) {
    Filter filter = all_of(std::move(children));
    filter.kind = Filter::Kind::any_of;
    return filter;
}

std::optional<bool> truth(
    const Filter& filter, const std::vector<std::optional<FilterValue>>& row
) {
    switch (filter.kind) {
        case Filter::Kind::all_of:
        case Filter::Kind::any_of: {
            const bool deciding = filter.kind == Filter::Kind::any_of;
            std::optional<bool> result = !deciding;
            for (const Filter& child : filter.children) {
                const std::optional<bool> one = truth(child, row);
                if (one == deciding) {
                    return deciding;
                }
                result = one ? result : one;
            }
            return result;
        }
        case Filter::Kind::negation: {
            const std::optional<bool> child = truth(filter.children.front(), row);
            return child ? std::optional{!*child} : child;
        }
        case Filter::Kind::compare:
            return row[filter.column]
                       ? std::optional{holds(
                             filter.comparison, order(*row[filter.column], filter.values.front())
                         )}
                       : std::nullopt;
        case Filter::Kind::one_of: {
            const bool unknown =
                filter.null_listed || (!row[filter.column] && !filter.values.empty());
            for (const FilterValue& value : filter.values) {
                if (row[filter.column] && order(*row[filter.column], value) == 0) {
                    return true;
                }
            }
            return unknown ? std::nullopt : std::optional{false};
        }
        case Filter::Kind::is_null:
            return !row[filter.column];
        case Filter::Kind::unknown:
        case Filter::Kind::contains:  // filter_containers_test.cpp
        case Filter::Kind::overlaps:
            return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace veer::index::test
