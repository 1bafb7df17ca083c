#pragma once

#include "parser/function_call.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::parser {

/// A statement that reads the rows of a table function of veer's own, wherever in it:
///
///     SELECT s.id, distance FROM veer.search('docs', $1, 10) AS s JOIN owners o ON ...
///                                ~~~~~~~~~~~~~ call ~~~~~~~~~~~~~
///
/// 1. There is a `call` where the function is called once, as an item of FROM of a statement that
/// is
///    alone in its text, and with values that FunctionCall::Argument can say. Else the text only
///    names the function.
/// 2. Whether Postgres has a function of that name, the catalogue knows.
struct TableFunction {
    /// One item of the select list: a column of the function's rows, or all of them.
    struct Chosen {
        std::string column;  ///< "*" for all
        std::string label;

        friend bool operator==(const Chosen&, const Chosen&) = default;
    };

    std::optional<FunctionCall> call;
    /// Where the call is all that some SELECT is about: SELECT these FROM the call, and no more.
    std::optional<std::vector<Chosen>> chosen;
    std::size_t begin = 0;  ///< of that SELECT

    friend bool operator==(const TableFunction&, const TableFunction&) = default;
};

/// True where the text may call one: next to nothing for all others, however long they are.
bool may_name_table_function(std::string_view text);

/// Of a normalised text.
std::optional<TableFunction> read_table_function(std::string_view text);

}  // namespace veer::parser
