#pragma once

#include "index/replica.hpp"
#include "parser/statement.hpp"
#include "router/accepted_statements.hpp"
#include "router/compare/observation.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace veer::router {

/// How many eligible searches each engine answered, since start-up. Lives as long as the process: a
/// reload or a new copy keeps it.
struct RouteCounters {
    std::atomic<std::uint64_t> veer = 0;
    std::atomic<std::uint64_t> postgres = 0;
};

/// One served column and operator, with the share of its searches that the index answers.
struct Route {
    std::string name;  ///< "public.documents.embedding <=>"
    index::IndexedColumn column;
    double percent = 0;
    std::string salt;
    std::string facts_query;  ///< see session_facts.hpp
    std::shared_ptr<RouteCounters> counters;
    double compare_rate = 0;  ///< share of its searches that is compared; 0: none
    std::shared_ptr<compare::Tally> tally;

    const storage::Table& table() const { return column.table; }

    /// The served vector column in pg_attribute's terms.
    const storage::Column& vector_column() const {
        return table().columns[table().vectors[column.vector]];
    }
};

/// All routes of one generation of the copy under one configuration. Immutable.
struct RouteTable {
    std::string database;
    bool live = false;
    std::vector<Route> routes;
    /// Thread-safe, and the one part that changes.
    std::shared_ptr<AcceptedStatements> accepted = std::make_shared<AcceptedStatements>();

    /// The route of the query's table, column and operator; null where there is none, or where an
    /// unqualified table name fits several. Whether the session's search_path agrees is for the
    /// session's facts to say.
    const Route* find(const parser::NearestNeighbourQuery& query) const;
};

}  // namespace veer::router
