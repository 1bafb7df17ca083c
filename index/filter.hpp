#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace veer::index {

/// A value of a copied column, never NULL, in a form that is ordered and compared as Postgres does:
///
///     bool            boolean
///     std::int64_t    smallint, integer, bigint; date (days) and timestamp with or without time
///                     zone (microseconds), both since 2000-01-01, the extremes being +-infinity
///     double          real, double precision; NaN equals NaN and is greater than all else
///     std::string     text and varchar in UTF-8; uuid as its 16 bytes; of jsonb a scalar in its
///     own
///                     notation, as `"a"` or `1.5`
///
/// Of an array, its elements are values; of what ->> gives, texts.
using FilterValue = std::variant<bool, std::int64_t, double, std::string>;

/// A condition on copied columns, as a WHERE clause states it: three-valued, a row passes where it
/// is true (manual 9.1, "Logical Operators").
///
///     category = 'a' AND (price < 10 OR NOT archived)
///
///     all_of ── compare(category, equal, 'a')
///        └───── any_of ── compare(price, less, 10)
///                  └───── negation ── compare(archived, equal, true)
///
/// Invariants:
/// 1. `column` is a position in storage::Table::copied, and values are of its type.
/// 2. Text is only tested for equality: its order is a collation's.
/// 3. At most filter_nodes_max nodes and filter_values_max values, depth included; whoever builds
///    one sees to it.
struct Filter {
    enum class Kind : std::uint8_t {
        all_of,    ///< AND of `children`; true where there are none
        any_of,    ///< OR of `children`; false where there are none
        negation,  ///< NOT of the only child
        compare,   ///< column `comparison` values[0]
        one_of,    ///< column IN values; NULL among them is `null_listed`
        is_null,   ///< column IS NULL: true or false, never unknown
        unknown,   ///< NULL, as of a comparison with NULL
        contains,  ///< array column @> ARRAY[values]; jsonb column @> {"member": values[0]}
        overlaps,  ///< array column && ARRAY[values]
    };

    enum class Comparison : std::uint8_t {
        equal,
        not_equal,
        less,
        less_or_equal,
        greater,
        greater_or_equal,
    };

    Kind kind = Kind::all_of;
    Comparison comparison = Comparison::equal;
    bool null_listed = false;
    std::size_t column = 0;
    /// With compare (equal or not), one_of and is_null: what jsonb column ->> member gives.
    std::optional<std::string> member = {};
    std::vector<FilterValue> values = {};
    std::vector<Filter> children = {};

    friend bool operator==(const Filter&, const Filter&) = default;
};

inline constexpr std::size_t filter_nodes_max = 256;
inline constexpr std::size_t filter_values_max = 10'000;

}  // namespace veer::index
