#pragma once

#include "parser/statement.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::parser {

/// The one SELECT that an SQL function consists of, cut where it mentions the function's
/// parameters.
///
///     SELECT id FROM docs ORDER BY e <=> query LIMIT count
///     ~~~~~~~~~~~~~ pieces[0] ~~~~~~~~~~~      ~~[1]~~     and [2], which is empty
///                                        mentions = {0, 1}
struct FunctionBody {
    std::vector<std::string> pieces;    ///< one more than `mentions`
    std::vector<std::size_t> mentions;  ///< positions among the parameters
    std::vector<std::string> bare;      ///< parameters that are mentioned by their names alone:
                                        ///< a column of the same name would come before them

    /// The body with these in the parameters' places, each in parentheses of its own.
    std::string with(std::span<const std::string> values) const;

    friend bool operator==(const FunctionBody&, const FunctionBody&) = default;
};

/// `parameters` are the input parameters' names, empty where one has none (manual 38.5.1: query,
/// match.query or $1 mention it). Refused is any body in which a name may mean a parameter or
/// something else: a table, an alias or an output's label.
std::variant<FunctionBody, Refusal> read_function_body(
    std::string_view text, std::string_view function, std::span<const std::string> parameters
);

}  // namespace veer::parser
