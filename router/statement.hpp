#pragma once

#include "parser/normalise.hpp"
#include "router/hint.hpp"
#include "router/plan_cache.hpp"

#include <memory>
#include <string>

namespace veer::router {

/// A statement's text as veer reads it: once, at Parse or at a simple Query.
struct Statement {
    std::string text;
    parser::NormalisedStatement normalised;
    std::shared_ptr<const Plan> plan;
    Hint hint;

    /// Where a condition goes in `text`. Requires search().
    parser::Clauses clauses() const {
        parser::Clauses clauses = search()->clauses;
        clauses.order = normalised.original_position(clauses.order);
        clauses.begin = normalised.original_position(clauses.begin);
        clauses.end = normalised.original_position(clauses.end);
        if (clauses.condition) {
            clauses.condition = normalised.original_position(*clauses.condition);
        }
        return clauses;
    }

    /// Null where it is no servable search.
    const parser::NearestNeighbourQuery* search() const {
        return plan == nullptr ? nullptr : plan->query();
    }
};

/// False for a statement that cannot be a search: it needs no reading.
bool may_be_search(std::string_view text);

}  // namespace veer::router
