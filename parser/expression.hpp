#pragma once

#include "parser/statement.hpp"
#include "parser/tree.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace veer::parser {

/// A query vector that has a name: q.v of (VALUES (...)) AS q (v), see lateral.hpp.
struct GivenVector {
    std::string table;
    std::string column;
    VectorExpression vector;  ///< of the first row
    std::vector<VectorExpression> others = {};
};

/// A table of a FROM clause, as its columns may be qualified.
struct Source {
    std::optional<std::string> schema;
    std::string table;
    std::string reference;            ///< the alias, else the table's name
    bool has_alias = false;           ///< then schema.table.column is not allowed
    std::size_t location = 0;         ///< byte of the text
    std::vector<std::string> others;  ///< references of the other tables: columns need a qualifier
    std::vector<GivenVector> given = {};  ///< of tables around the SELECT, none called as its own
    std::vector<GivenVector> rows = {};   ///< of WITH queries, that a RowSelect may be of

    bool alone() const { return others.empty(); }
};

/// What a distance is from: col, col::vector, col::halfvec(n) or coalesce(col, legacy::vector).
struct VectorColumn {
    std::string column;
    ColumnCast cast = {};
    std::optional<LegacyColumn> legacy = std::nullopt;

    bool is_plain() const { return cast.is_none() && !legacy; }

    friend bool operator==(const VectorColumn&, const VectorColumn&) = default;
};

/// col OP v, either way round.
struct Distance {
    VectorColumn from;
    std::string operator_name;
    std::optional<std::string> operator_schema;
    VectorExpression vector;

    /// Whether another distance is from the same column by the same operator; vectors may differ.
    bool same_measure(const Distance& other) const;
};

/// Reads col, table.col, alias.col or schema.table.col of the source; nothing for any other node,
/// or a reference that is not the source's.
std::optional<std::string> read_column(const PgQuery__Node* node, const Source& source);

/// Reads col, col::vector, col::vector(n), col::text::vector or coalesce() of two of these; or
/// col::halfvec(n).
std::optional<VectorColumn> read_vector_column(const PgQuery__Node* node, const Source& source);

/// True for * and for reference.*
bool is_star(const PgQuery__Node* node, const Source& source);

/// True for any.* as well.
bool is_star(const PgQuery__Node* node);

/// The name of t.name, or of name; empty for any other node.
std::string_view column_name(const PgQuery__Node* node);

/// True where the name before the last one is that of another table of the FROM clause, or of one
/// around it that has given vectors.
bool is_of_another(const PgQuery__Node* node, const Source& source);

/// Reads $1, '[1,2]' (cut) or ARRAY[1,2] (cut) under the casts of VectorExpression::Form.
std::optional<VectorExpression> read_vector(const PgQuery__Node* node);

/// The same, or the name of a given one, or a RowSelect of one.
std::optional<VectorExpression> read_vector(const PgQuery__Node* node, const Source& source);

/// That of a WITH query's row; nothing for any other sub-select.
std::optional<VectorExpression> read_row_vector(const PgQuery__SubLink& link, const Source& source);

/// <-> <=> <#> <+> <~> <%>
bool is_distance_operator(std::string_view symbol);

/// Reads a distance. Refusal::no_distance_order: not one of <-> <=> <#> <+> <~> <%>
/// with a column on a side; Refusal::derived_vector: one from what a function makes of a column;
/// Refusal::query_vector: one, but from something that veer does not evaluate.
std::variant<Distance, Refusal> read_distance(const PgQuery__Node* node, const Source& source);

/// The distance operand of 1 - distance; null where the node is not a subtraction from one.
const PgQuery__Node* subtracted_from_one(const PgQuery__Node* node);

/// $n as an argument: a parameter of Bind, or a literal that was cut.
std::optional<Argument> read_argument(const PgQuery__Node* node);

/// Reads LIMIT or OFFSET; nothing where it is neither absent, NULL, a whole number nor an argument.
std::optional<Count> read_count(const PgQuery__Node* node);

}  // namespace veer::parser
