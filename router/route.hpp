#pragma once

#include "config/config.hpp"
#include "config/freshness.hpp"
#include "index/replica.hpp"
#include "index/search_limits.hpp"
#include "parser/function_call.hpp"
#include "parser/statement.hpp"
#include "router/accepted_statements.hpp"
#include "router/compare/observation.hpp"
#include "router/cutover/rules.hpp"
#include "router/cutover/traffic.hpp"
#include "router/declaration.hpp"
#include "router/ef_learner.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

class Candidate;

/// What a search is kept on one engine by, where neither veer.key nor a hint's key= is given.
struct StickyBy {
    enum class Kind : std::uint8_t {
        automatic,  ///< shape and query vector
        role,
        application,
        session,
        shape,
        tag,  ///< of a sqlcommenter comment
    };

    Kind kind = Kind::automatic;
    std::string tag;
};

/// "auto", "role", "application", "session", "shape" or "tag:NAME".
StickyBy sticky_by_from_text(std::string_view text);

/// One served column and operator, with the share of its searches that the index answers.
struct Route {
    std::string name;  ///< "public.documents.embedding <=>"
    index::IndexedColumn column;
    std::string salt;
    StickyBy sticky_by;
    config::Freshness freshness;
    std::string facts_query;        ///< see session_facts.hpp
    bool skips_unparsable = false;  ///< rows that do not parse are as if they were not there
    bool searched_whole = false;    ///< what is about the new column alone is, too
    double compare_rate = 0;        ///< share of its searches that is compared; 0: none
    /// Orders that Postgres itself answers exactly, and veer all the same.
    bool order_by_similarity = false;
    bool tie_breakers = false;
    std::optional<double> recall_target;                          ///< nothing: ef is the session's
    std::uint64_t visits_max = index::SearchLimits{}.visits_max;  ///< of one walk or scan
    std::vector<config::FunctionName> functions =
        {};  ///< whose calls may be answered by their bodies
    std::shared_ptr<compare::Tally> tally;
    std::shared_ptr<Candidate> candidate;  ///< is asked in the index' place; null: the index is
    /// Share, state and counters: the one part that changes.
    std::shared_ptr<cutover::Traffic> traffic = std::make_shared<cutover::Traffic>();

    const storage::Table& table() const { return column.table; }

    bool live() const { return column.live; }

    /// Of a search in a session that has this one; see EfLearner.
    std::uint32_t ef(std::uint32_t of_session, bool is_set) const {
        return recall_target ? effective_ef(of_session, is_set, traffic->learned_ef) : of_session;
    }

    /// False where Postgres may fail on a row's text.
    bool all_parse() const {
        return column.sources == nullptr || skips_unparsable || column.sources->all_parse();
    }

    /// Changes with every row that comes and does not parse.
    std::uint64_t unparsable_arrivals() const {
        return column.sources == nullptr || skips_unparsable ? 0 : column.sources->arrivals();
    }

    /// True where a search decided for the one may be answered by the other: the same index, live,
    /// of a table that is defined as it was. A copy of some other table changes neither.
    bool same_answers(const Route& other) const {
        return live() && column.index == other.column.index && candidate == other.candidate &&
               table().same_shape(other.table());
    }

    /// Whether the stream tells of all that becomes of its rows. Of partitions that are emptied,
    /// come or go it does not: storage/partitions.hpp.
    bool streamed_whole() const;

    /// The served vector column in pg_attribute's terms.
    const storage::Column& vector_column() const {
        return table().columns[table().vectors[column.vector]];
    }

    /// Whether it says that calls which name it so may be answered.
    bool names(const parser::FunctionCall& call) const;

    /// Whether it answers from the legacy column as well what is about the new one alone.
    bool exceeds(const parser::NearestNeighbourQuery& query) const {
        return column.ann.legacy.has_value() && !query.legacy.has_value();
    }

    /// What is searched: "embedding", "coalesce(embedding, old)".
    std::string source() const { return table().source_of(column.ann); }

    /// pg_type.oid of what is compared.
    std::uint32_t vector_type() const {
        return column.ann.declared ? column.ann.type_oid : vector_column().type_oid;
    }
};

/// Whether the [[route]] is about this index.
bool is_about(
    const config::Route& configured, const storage::Table& table, const storage::AnnIndex& ann
);

/// The expression of the vector that a row has, in the terms of a table of this alias; `type` is
/// the name of the type vector:
///
///     "t"."embedding"
///     coalesce("t"."embedding", "t"."old"::pg_catalog.text::public.vector)
std::string vector_expression(
    const storage::Table& table,
    const storage::AnnIndex& ann,
    std::string_view alias,
    std::string_view type
);

/// All routes of one generation of the copy under one configuration. Immutable.
struct RouteTable {
    std::string database;
    std::vector<Route> routes;
    std::vector<Declaration> declared = {};  ///< by statements, whether copied already or not
    std::shared_ptr<const cutover::RuleSet> rules = std::make_shared<cutover::RuleSet>();
    /// May choose the index by setting or hint; empty: everybody.
    std::vector<std::string> hint_roles;
    /// Thread-safe, and the one part that changes.
    std::shared_ptr<AcceptedStatements> accepted = std::make_shared<AcceptedStatements>();

    /// The route of the query's table, column and operator; null where there is none, or where an
    /// unqualified table name fits several. One that exceeds() the query only where it may, and
    /// where all that is asked for is in the copy; then it comes before the column's own. Whether
    /// the session's search_path agrees is for the session's facts to say.
    const Route* find(const parser::NearestNeighbourQuery& query) const;

    /// A route that names the function, one whose share is not 0 if there is any; null: none does.
    const Route* find(const parser::FunctionCall& call) const;
};

}  // namespace veer::router
