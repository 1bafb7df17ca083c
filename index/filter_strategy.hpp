#pragma once

#include <cstddef>

namespace veer::index {

/// What is known of a filtered search before it begins.
struct FilteredSearch {
    double matching = 0;         ///< rows that pass, about
    double nodes = 0;            ///< that stand for them, or did before an UPDATE or a DELETE
    double rows = 0;             ///< live ones
    std::size_t ef = 0;          ///< of the walk that is asked about
    std::size_t links = 32;      ///< of a node, at most
    std::size_t code_lines = 1;  ///< cache lines of what distances are computed of
    std::size_t sign_lines = 0;  ///< of what rules most rows out before; 0: nothing does

    /// Of the nodes, those that are walked over or compared with. Where rows share a node, there
    /// are fewer nodes than rows, and as many of them as of the rows are taken to pass.
    double share() const;
};

/// What it costs to compare with every node in question, in cache lines read one behind the other.
double comparing_cost(const FilteredSearch& search);

/// What a walk over these nodes costs in the same unit. Its lines lie anywhere, and each costs
/// twice as much; where few nodes pass, most are lists of links of those that do not. The fewer of
/// the nodes still stand for a row that passes, the longer it takes to have ef rows.
double walking_cost(const FilteredSearch& search);

/// Whether the walk costs less, and would not lose its way.
bool worth_walking(const FilteredSearch& search);

}  // namespace veer::index
