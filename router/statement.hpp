#pragma once

#include "parser/normalise.hpp"
#include "router/hint.hpp"
#include "router/plan_cache.hpp"

#include <memory>
#include <string>
#include <string_view>

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

    /// The sub-select for the query vector, as the client wrote it. Requires that there is one.
    std::string_view stored_vector() const {
        const parser::StoredVector& stored = *search()->vector.stored;
        const std::size_t begin = normalised.original_position(stored.begin);
        return std::string_view(text).substr(
            begin, normalised.original_position(stored.end) - begin
        );
    }

    /// Null where it is no servable search.
    const parser::NearestNeighbourQuery* search() const {
        return plan == nullptr ? nullptr : plan->query();
    }

    /// Null where it is not the call of a function.
    const parser::FunctionCall* call() const {
        return plan == nullptr || !plan->call ? nullptr : &*plan->call;
    }
};

}  // namespace veer::router
