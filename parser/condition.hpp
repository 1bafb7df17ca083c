#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace veer::parser {

/// Where a value of a statement comes from: a parameter of Bind ($1 is index 0), a literal of
/// the text (index into NormalisedStatement::literals), or the normalised text itself.
struct Argument {
    enum class Source : std::uint8_t { parameter, literal, constant };

    Source source = Source::parameter;
    std::uint32_t index = 0;

    friend bool operator==(const Argument&, const Argument&) = default;
};

/// What a column is compared with.
struct Operand {
    /// NULL, true, 5, or an argument; arrays of numbers and 'texts' are literals, but for the
    /// first text of ARRAY['a', 'b'], which is a string.
    std::variant<std::monostate, bool, std::int64_t, Argument, std::string> value;
    std::string type = {};  ///< of a cast, by PostgreSQL's own name ("int4"); empty where none
    /// A parameter that is nowhere else in the text, so that its type, where the client leaves it
    /// open, is the one that this place asks for.
    bool alone = true;

    friend bool operator==(const Operand&, const Operand&) = default;
};

/// A WHERE clause as far as it is about single columns of the searched table.
///
///     category = $1 AND price BETWEEN 5 AND 10 AND name LIKE 'a%'
///
///     all_of ── compare(category = $1)
///        ├───── all_of(price >= 5, price <= 10)
///        └───── opaque                             only Postgres can tell
///
/// Names, operators among them, are taken for PostgreSQL's own; whether they are, and whether the
/// types fit, is for others to find out. A column is never another table's.
struct Condition {
    enum class Kind : std::uint8_t {
        opaque,
        all_of,        ///< of `children`, at least one
        any_of,        ///< alike
        negation,      ///< of the only child
        compare,       ///< column `comparison` operands[0]
        one_of,        ///< column = one of the operands
        one_of_array,  ///< column = ANY (operands[0])
        is_null,
        is_true,   ///< the boolean column itself
        contains,  ///< column @> operands[0]; `elements`: @> ARRAY[operands]
        overlaps,  ///< column && likewise
    };

    enum class Comparison : std::uint8_t {
        equal,
        not_equal,
        less,
        less_or_equal,
        greater,
        greater_or_equal,
    };

    Kind kind = Kind::opaque;
    Comparison comparison = Comparison::equal;
    bool elements = false;
    std::string column = {};
    /// With compare, one_of, one_of_array and is_null: it is about column ->> this literal.
    std::optional<Argument> member = {};
    std::vector<Operand> operands = {};
    std::vector<Condition> children = {};

    friend bool operator==(const Condition&, const Condition&) = default;
};

/// Whether nothing in it is opaque.
inline bool is_read(const Condition& condition) {
    return condition.kind != Condition::Kind::opaque &&
           std::all_of(condition.children.begin(), condition.children.end(), is_read);
}

}  // namespace veer::parser
