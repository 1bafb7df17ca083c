#pragma once

#include "parser/expression.hpp"
#include "parser/statement.hpp"

#include <optional>
#include <string>
#include <vector>

namespace veer::parser {

/// What evaluating expressions may do besides giving a value. A search that Postgres answers from
/// veer's keys evaluates them on rows that it would not have looked at, and perhaps twice.
///
///     lower(t.name) = $1 AND (meta->>'n')::int > 3     no refusal, may_raise, columns = {"name"}
///     audit(id)                                        refusal = function
///
/// Names decide: a function or type is known by PostgreSQL's own name for it, and an operator is
/// taken to do what operators do. Who defines one of these names anew, for types of his own and
/// with effects, is not protected (PostgreSQL itself promises no number of evaluations either).
struct Effects {
    std::optional<Refusal> refusal;
    bool may_raise = false;              ///< an error for some rows' values
    std::vector<std::string> columns;    ///< that are named with their table: if no column has that
                                         ///< name, Postgres calls a function of it (manual 38.5.3)
    std::vector<Distance> ranked;        ///< RANK() and the like over these
    std::vector<VectorColumn> measured;  ///< what there are distances from
    std::vector<JoinedTable> tables;  ///< of FROM clauses: of a whole query's, or of StoredVectors

    void add(const Effects& other);

    /// Whether there are distances from anything else than what is searched by: another column may
    /// hold vectors of any dimension, and another cast may fail.
    bool measures_others(const VectorColumn& searched) const;
};

/// Adds what the expression does. The depth of the tree is bounded by parser/shape.hpp.
void note_effects(const PgQuery__Node* expression, const Source& source, Effects& effects);

/// The same of a query with all that is in it. It says nothing of columns, ranks and errors: they
/// are the same whatever rows there are.
void note_query_effects(const PgQuery__SelectStmt& query, Effects& effects);

/// True where the node computes with numbers and distances only, so that it cannot fail.
bool is_measure(const PgQuery__Node* node, const Source& source);

}  // namespace veer::parser
