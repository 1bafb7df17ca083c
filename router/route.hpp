#pragma once

#include "config/freshness.hpp"
#include "index/replica.hpp"
#include "parser/statement.hpp"
#include "router/accepted_statements.hpp"
#include "router/compare/observation.hpp"
#include "router/cutover/rules.hpp"
#include "router/cutover/traffic.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

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
    std::string facts_query;  ///< see session_facts.hpp
    double compare_rate = 0;  ///< share of its searches that is compared; 0: none
    std::shared_ptr<compare::Tally> tally;
    /// Share, state and counters: the one part that changes.
    std::shared_ptr<cutover::Traffic> traffic = std::make_shared<cutover::Traffic>();

    const storage::Table& table() const { return column.table; }

    bool live() const { return column.live; }

    /// True where a search decided for the one may be answered by the other: the same index, live,
    /// of a table that is defined as it was. A copy of some other table changes neither.
    bool same_answers(const Route& other) const {
        return live() && column.index == other.column.index && table().same_shape(other.table());
    }

    /// The served vector column in pg_attribute's terms.
    const storage::Column& vector_column() const {
        return table().columns[table().vectors[column.vector]];
    }
};

/// All routes of one generation of the copy under one configuration. Immutable.
struct RouteTable {
    std::string database;
    std::vector<Route> routes;
    std::shared_ptr<const cutover::RuleSet> rules = std::make_shared<cutover::RuleSet>();
    /// May choose the index by setting or hint; empty: everybody.
    std::vector<std::string> hint_roles;
    /// Thread-safe, and the one part that changes.
    std::shared_ptr<AcceptedStatements> accepted = std::make_shared<AcceptedStatements>();

    /// The route of the query's table, column and operator; null where there is none, or where an
    /// unqualified table name fits several. Whether the session's search_path agrees is for the
    /// session's facts to say.
    const Route* find(const parser::NearestNeighbourQuery& query) const;
};

}  // namespace veer::router
