#pragma once

#include "parser/statement.hpp"
#include "router/reason.hpp"
#include "router/row_filter.hpp"
#include "router/values.hpp"
#include "storage/vector.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::router {

struct Route;

/// A recognised statement with its values filled in: what is to be looked for.
struct Search {
    storage::Vector vector;
    std::vector<storage::Vector> others = {};  ///< of parser::GivenVectors
    std::uint64_t limit = 0;
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> chosen = {};  ///< of parser::Reranked: its LIMIT
    bool one_vector = true;                    ///< all distances among the outputs are to it
    RowFilter rows = {};                       ///< what the index can tell of WHERE
    /// Where the route's index is partial: what WHERE says (partial_index.hpp).
    std::optional<index::Filter> told = {};

    /// How many nearest rows answer it, of each vector.
    std::uint64_t wanted() const { return limit + offset; }

    std::size_t vectors() const { return 1 + others.size(); }

    /// How many rows the answer has.
    std::uint64_t rows_expected() const { return limit * vectors(); }

    /// Nothing about the values is for Postgres to tell.
    bool complete() const { return one_vector && rows.whole; }
};

/// Why no search is made for this vector, whatever it came from.
std::optional<Reason> refuse_vector(
    const parser::NearestNeighbourQuery& query,
    const storage::Column& column,
    const storage::Vector& vector
);

/// Fills in the values, but for a vector that stands in a row (stored_vector.hpp). A Reason where
/// Postgres would raise an error, or would answer in a way that the index cannot (NULL or zero
/// query vector, QUERIES.md B.4), or where veer cannot read a value for sure.
///
/// Whether the distances in the select list are to the same vector as the order key's can only be
/// seen here, by value (QUERIES.md A.0, fact 2).
std::variant<Search, Reason> fill_in(
    const parser::NearestNeighbourQuery& query,
    const Values& values,
    const Route& route,
    std::uint64_t wanted_max
);

}  // namespace veer::router
