#pragma once

#include <optional>
#include <string>
#include <vector>

namespace veer::tests {

/// One statement of the equality test, and what to expect of veer at 100 %.
struct Statement {
    std::string sql;
    std::vector<std::optional<std::string>> parameters;
    std::string reason;  ///< of SHOW veer.last at 100 %; empty where it is no search

    bool has_parameters() const { return !parameters.empty(); }
};

/// Searches and other statements over the tables of Playground: every shape that veer serves, and
/// those around them that it must leave alone.
std::vector<Statement> equality_statements();

}  // namespace veer::tests
