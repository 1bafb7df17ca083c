#include "tests/unit/index/drawn_filter.hpp"

#include "tests/unit/index/values.hpp"

#include <iterator>
#include <limits>
#include <string>

namespace veer::index::test {

using storage::ColumnType;

namespace {

template <class Number>
std::int64_t integer(const Draw& draw) {
    using Limits = std::numeric_limits<Number>;
    const std::int64_t some[] = {Limits::min(), Limits::max(), Limits::max() - 1, 0, -1, 1, 7};
    return some[draw() % std::size(some)];
}

double floating(const Draw& draw) {
    using Limits = std::numeric_limits<double>;
    const double some[] = {
        Limits::quiet_NaN(),
        -Limits::quiet_NaN(),
        Limits::infinity(),
        -Limits::infinity(),
        0.0,
        -0.0,
        0.5,
        -1.5,
        1e30,
        1e-45};
    return some[draw() % std::size(some)];
}

std::string bytes(const Draw& draw) {
    const std::string some[] = {
        "", "a", "b", "A", "ab", std::string{"\0", 1}, "\xC3\xA4", std::string(70, 'x')};
    return some[draw() % std::size(some)];
}

/// One of few values of the type, the extremes among them.
FilterValue any_value(ColumnType type, const Draw& draw) {
    switch (type) {
        case ColumnType::boolean:
            return draw() % 2 == 0;
        case ColumnType::int2:
            return integer<std::int16_t>(draw);
        case ColumnType::int4:
        case ColumnType::date:
            return integer<std::int32_t>(draw);
        case ColumnType::int8:
        case ColumnType::timestamp:
        case ColumnType::timestamptz:
            return integer<std::int64_t>(draw);
        case ColumnType::float4:
            return static_cast<double>(static_cast<float>(floating(draw)));
        case ColumnType::float8:
            return floating(draw);
        case ColumnType::uuid:
            return std::string(15, 'u') + static_cast<char>(draw() % 256);
        case ColumnType::text:
            return bytes(draw);
        default:
            return false;  // filter_containers_test.cpp
    }
}

Filter any_leaf(const Draw& draw) {
    Filter filter;
    filter.column = draw() % drawn_types().size();
    const ColumnType type = drawn_types()[filter.column];
    switch (draw() % 6) {
        case 0:
            filter.kind = Filter::Kind::is_null;
            break;
        case 1:
            filter.kind = Filter::Kind::one_of;
            filter.null_listed = draw() % 4 == 0;
            for (std::size_t left = draw() % 4; left > 0; --left) {
                filter.values.push_back(any_value(type, draw));
            }
            break;
        case 2:
            if (draw() % 4 == 0) {
                filter.kind = Filter::Kind::unknown;
                break;
            }
            [[fallthrough]];
        default:
            filter.kind = Filter::Kind::compare;
            filter.comparison = static_cast<Filter::Comparison>(
                draw() % (type == ColumnType::text ? 2 : 6)  // text is only equal or not
            );
            filter.values = {any_value(type, draw)};
    }
    return filter;
}

}  // namespace

const std::vector<ColumnType>& drawn_types() {
    static const std::vector<ColumnType> types{
        ColumnType::boolean,
        ColumnType::int2,
        ColumnType::int4,
        ColumnType::int8,
        ColumnType::float4,
        ColumnType::float8,
        ColumnType::date,
        ColumnType::timestamp,
        ColumnType::timestamptz,
        ColumnType::uuid,
        ColumnType::text};
    return types;
}

Values any_row(const Draw& draw) {
    Values drawn;
    for (const ColumnType type : drawn_types()) {
        drawn.push_back(draw() % 5 == 0 ? std::nullopt : std::optional{any_value(type, draw)});
    }
    return drawn;
}

std::vector<storage::ColumnValue> sent(const Values& row) {
    std::vector<storage::ColumnValue> columns;
    for (std::size_t column = 0; column < row.size(); ++column) {
        columns.push_back(sent(drawn_types()[column], row[column]));
    }
    return columns;
}

Filter any_filter(const Draw& draw, int depth) {
    if (depth == 0 || draw() % 3 == 0) {
        return any_leaf(draw);
    }
    if (draw() % 4 == 0) {
        return none_of(any_filter(draw, depth - 1));
    }
    std::vector<Filter> children;
    for (std::size_t left = draw() % 4; left > 0; --left) {
        children.push_back(any_filter(draw, depth - 1));
    }
    return draw() % 2 == 0 ? all_of(std::move(children)) : any_of(std::move(children));
}

}  // namespace veer::index::test
