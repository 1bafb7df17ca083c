#pragma once

#include "parser/clauses.hpp"
#include "parser/condition.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::parser {

/// A query vector that stands in a row, which only PostgreSQL can look up:
///
///     ORDER BY e <=> (SELECT e FROM docs WHERE id = $1)
///                    ^ begin                          ^ end
struct StoredVector {
    std::optional<std::string> schema;
    std::string table;
    std::string column;
    Condition condition;  ///< of its WHERE
    /// Its parameters that are compared, wherever the text has them, with one column of one table:
    /// of whatever type they are inferred, it is the same in the sub-select alone.
    std::vector<std::uint32_t> told_by_column = {};
    std::size_t begin = 0;  ///< of the normalised text, with the parentheses
    std::size_t end = 0;

    bool limited = false;  ///< by LIMIT 1, so that a second row is no error

    /// The same sub-select, wherever it stands. What is opaque may be anything.
    friend bool operator==(const StoredVector& left, const StoredVector& right) {
        return left.schema == right.schema && left.table == right.table &&
               left.column == right.column && left.limited == right.limited &&
               left.condition == right.condition && is_read(left.condition);
    }
};

/// A query vector: the argument, and how the text casts it before the operator sees it.
struct VectorExpression {
    enum class Form : std::uint8_t {
        untyped,  ///< '[1,2]' or $1, resolved by the operator to the column's type
        vector,   ///< cast to vector or vector(n), or text first and then vector
        array,    ///< ARRAY[1,2]::vector, or $1::real[]::vector and the like
    };

    Argument argument;
    Form form = Form::untyped;
    std::optional<std::int32_t> typmod = std::nullopt;      ///< the n of vector(n)
    std::optional<std::string> type_schema = std::nullopt;  ///< of schema.vector
    std::string type_name = {};  ///< vector, halfvec, sparsevec or bit; empty where untyped
    std::string constant = {};   ///< of B'0101', which has no place among the literals: 0101
    std::optional<StoredVector> stored = std::nullopt;  ///< then there is no argument
    /// It is the first of a column of several rows (GivenVectors); the column's number, else 0.
    std::size_t given = 0;

    friend bool operator==(const VectorExpression&, const VectorExpression&) = default;
};

/// How the text makes a vector of a column that is none, or halves of one that is a vector.
struct ColumnCast {
    bool to_half = false;       ///< column::halfvec(n): distances are those of halves
    bool to_vector = false;     ///< column::vector
    bool through_text = false;  ///< column::text::vector
    std::optional<std::int32_t> typmod = std::nullopt;      ///< the n of vector(n)
    std::optional<std::string> type_schema = std::nullopt;  ///< of schema.vector

    bool is_none() const { return !to_vector && !to_half; }

    friend bool operator==(const ColumnCast&, const ColumnCast&) = default;
};

/// The second column of coalesce(embedding, legacy::vector).
struct LegacyColumn {
    std::string column;
    ColumnCast cast;

    friend bool operator==(const LegacyColumn&, const LegacyColumn&) = default;
};

/// LIMIT or OFFSET.
struct Count {
    std::variant<std::monostate, std::int64_t, Argument> value;  ///< absent, constant, argument
    bool as_int4 = false;  ///< the argument is cast to int4; else it is an int8
    std::optional<std::int64_t> at_most = std::nullopt;  ///< the n of least(count, n)

    friend bool operator==(const Count&, const Count&) = default;
};

/// One item of the select list.
struct OutputColumn {
    enum class Kind : std::uint8_t {
        star,        ///< * or alias.*
        column,      ///< a plain column reference
        distance,    ///< col OP v
        similarity,  ///< 1 - (col OP v)
        expression,  ///< anything else without effects: only Postgres can tell its value
    };

    Kind kind = Kind::column;
    std::string column;       ///< where kind is column
    std::string label;        ///< the name that RowDescription shows
    VectorExpression vector;  ///< where kind is distance or similarity
    bool computed = false;    ///< an expression that is arithmetic with a distance: a float8

    friend bool operator==(const OutputColumn&, const OutputColumn&) = default;
};

/// Another table of the FROM clause.
struct JoinedTable {
    std::optional<std::string> schema;
    std::string table;

    friend bool operator==(const JoinedTable&, const JoinedTable&) = default;
};

/// The query vectors of a search that is made once for each row of VALUES, all of one type:
///
///     FROM (VALUES (1, $1::vector), (2, $2::vector)) AS q (n, v) CROSS JOIN LATERAL (search) r
///                      first            others       table    column
struct GivenVectors {
    std::string table;
    std::string column;
    std::vector<VectorExpression> others;

    friend bool operator==(const GivenVectors&, const GivenVectors&) = default;
};

/// What the rows of a search have been chosen by before they are sorted: signs of its numbers.
///
///     binary_quantize(column)::bit(3) <~> binary_quantize(vector) LIMIT 20
struct Reranked {
    std::int32_t bits = 0;
    std::optional<std::string> operator_schema = {};
    VectorExpression vector = {};
    Count limit = {};

    friend bool operator==(const Reranked&, const Reranked&) = default;
};

/// SELECT outputs FROM table [alias] [joins] [WHERE condition] ORDER BY column OP vector [ASC]
/// LIMIT limit [OFFSET offset]. In the column's place may stand a cast of it to vector, or
/// coalesce() of two columns.
///
/// Everything the router needs to know of the text; nothing of the catalogue. Names are as Postgres
/// would see them (unquoted ones folded to lower case).
struct NearestNeighbourQuery {
    std::optional<std::string> schema;
    std::string table;
    std::string reference;  ///< how columns may be qualified: the alias, else the table's name
    std::string column;
    std::string operator_name;                   ///< "<->"
    std::optional<std::string> operator_schema;  ///< of OPERATOR(schema.<->)
    VectorExpression vector;
    std::vector<OutputColumn> outputs;
    Count limit;
    Count offset;
    /// ORDER BY named an output by its label; Postgres calls that ambiguous where * brings a column
    /// of the same name.
    std::optional<std::string> order_label = std::nullopt;
    /// Orders that PostgreSQL itself answers exactly, without an index. Whether veer may answer
    /// them all the same is for the route to say.
    bool by_similarity = false;   ///< 1 - distance DESC, and the like
    bool tie_breakers = false;    ///< further keys behind the distance
    bool nulls_excluded = false;  ///< WHERE keeps no row whose vector is NULL, or NULLS LAST does
    Clauses clauses = {};         ///< of the normalised text
    std::optional<Condition> condition = std::nullopt;  ///< WHERE, where there is one
    std::vector<std::string> columns = {};  ///< named with their table, in WHERE and expressions
    bool may_raise = false;                 ///< WHERE or an output may fail on some row's values
    std::uint32_t parameters = 0;           ///< $1 to this one are somewhere in the text

    std::vector<JoinedTable> joined = {};  ///< the other tables of FROM
    bool inner_join = false;
    std::vector<VectorExpression> ranked = {};  ///< of RANK() OVER (ORDER BY column OP vector)
    bool wrapped = false;  ///< it is a sub-select of FROM or a WITH query of the whole statement
    bool all_rows_shown = false;  ///< and each of its rows is one of the whole statement's
    ColumnCast cast = {};         ///< of the column
    std::optional<LegacyColumn> legacy = std::nullopt;  ///< coalesce(column, legacy)
    /// Where `vector` is but the first of several, each of which has LIMIT rows in the answer.
    std::optional<GivenVectors> several = std::nullopt;
    /// Where LIMIT and OFFSET are of rows that another order has chosen (parser/rerank.hpp). Then
    /// `clauses` are of the choice, and the answer has as many rows as they say, or all chosen
    /// ones.
    std::optional<Reranked> reranked = std::nullopt;

    /// Not every row of the table need be in the answer.
    bool narrows() const { return clauses.condition.has_value() || inner_join; }

    friend bool operator==(const NearestNeighbourQuery&, const NearestNeighbourQuery&) = default;
};

/// Why a statement is not a NearestNeighbourQuery. Stable codes: users count them.
enum class Refusal : std::uint8_t {
    parse_error,  ///< libpg_query does not accept it (Postgres will say, or knows newer syntax)
    too_long,     ///< longer, or nested deeper, than inspected
    multiple_statements,
    not_select,         ///< INSERT, DECLARE, EXPLAIN, PREPARE, COPY (query), TABLE, VALUES ...
    no_distance_order,  ///< no ORDER BY col OP vector
    derived_vector,     ///< ORDER BY binary_quantize(col) <~> .., subvector(col, ..) <-> ..
    descending,         ///< DESC or NULLS FIRST: exact in Postgres
    order_keys,         ///< a tie-breaker or other further key: exact in Postgres
    no_limit,
    function,    ///< one that may have effects, or a type that veer does not know
    subquery,    ///< a SELECT inside an expression
    expression,  ///< one of a kind that veer does not follow
    join,  ///< FROM has something that is no plain table (ONLY included), or FULL or RIGHT joins
    grouping,       ///< DISTINCT, GROUP BY, HAVING, window, aggregates
    set_operation,  ///< UNION and the like, or a select in parentheses
    with_clause,
    locking,       ///< FOR UPDATE and the like, SELECT INTO
    projection,    ///< no output at all
    query_vector,  ///< the vector is an expression that veer does not evaluate
    limit_form,    ///< LIMIT or OFFSET by an expression, WITH TIES
};

std::string_view to_string(Refusal refusal);

/// What recognise() found out.
using Recognition = std::variant<NearestNeighbourQuery, Refusal>;

}  // namespace veer::parser
