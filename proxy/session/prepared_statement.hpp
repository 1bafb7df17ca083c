#pragma once

#include "parser/management.hpp"
#include "router/complaint.hpp"
#include "router/route.hpp"
#include "router/statement.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace veer::proxy::session {

/// A statement of Parse (or of a simple Query) that veer may answer: everything else is not
/// remembered.
struct PreparedStatement {
    std::string name;
    std::vector<std::uint32_t> parameter_types;
    router::Statement statement;  ///< mentions a distance operator; empty for a relation
    std::string relation;         ///< "last" of SHOW veer.last: Postgres never hears of it
    /// Nor of this one: what is to become of an index of veer's.
    std::shared_ptr<const parser::Management> management = {};
    /// Where it is an EXPLAIN: the statement that it is about.
    std::shared_ptr<const PreparedStatement> explained = {};
    /// As it was at Parse: what the client knows of the statement's result may be as old.
    std::shared_ptr<const router::RouteTable> routes;
    /// Where `statement` is another text than the client's: how errors of it are told.
    std::shared_ptr<const router::Complaint> wording = {};

    /// Of veer alone: Postgres does not have the statement.
    bool is_local() const { return !relation.empty() || management != nullptr; }

    /// False of what has a function's name in it, and is no SELECT: its definition, a table's rows.
    bool is_of_interest() const {
        const auto* const refusal = std::get_if<parser::Refusal>(&statement.plan->recognition);
        return explained != nullptr || statement.plan->is_search_or_call() || refusal == nullptr ||
               *refusal != parser::Refusal::not_select;
    }
};

}  // namespace veer::proxy::session
