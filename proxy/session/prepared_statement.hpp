#pragma once

#include "router/route.hpp"
#include "router/statement.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace veer::proxy::session {

/// A statement of Parse (or of a simple Query) that veer may answer: everything else is not
/// remembered.
struct PreparedStatement {
    std::string name;
    std::vector<std::uint32_t> parameter_types;
    router::Statement statement;  ///< mentions a distance operator; empty for a relation
    std::string relation;         ///< "last" of SHOW veer.last: Postgres never hears of it
    /// Where it is an EXPLAIN: the statement that it is about.
    std::shared_ptr<const PreparedStatement> explained = {};
    /// As it was at Parse: what the client knows of the statement's result may be as old.
    std::shared_ptr<const router::RouteTable> routes;
};

}  // namespace veer::proxy::session
