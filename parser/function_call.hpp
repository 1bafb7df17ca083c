#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::parser {

/// A SELECT about the rows of one function.
///
///     SELECT id FROM shop.match($1, $32768::jsonb, count => 5) AS m WHERE m.score > 1
///                    ^ begin    ~~ arguments[0]        ~ [2]      ^ end
///
/// Whether there is such a function, and what it does, only the catalogue knows.
struct FunctionCall {
    /// A value that is the same wherever its text stands, which is all that is read as one.
    struct Argument {
        enum class Kind : std::uint8_t {
            parameter,  ///< $1
            string,     ///< '...' (cut), of no type of its own
            null,       ///< NULL, likewise
            whole,      ///< an integer that fits an int4
            decimal,    ///< 0.5
            truth,      ///< true, false
            array,      ///< ARRAY[...] (cut), under a cast
        };

        std::string name;  ///< of name => value; empty: it is told by its place
        Kind kind = Kind::string;
        std::uint32_t parameter = 0;  ///< the n of $n
        std::uint32_t literal = 0;    ///< of a string: which of the statement's literals
        std::int32_t whole = 0;       ///< an integer's value
        bool truth = false;           ///< a truth value's
        /// Of the outermost cast, as libpg_query has it; empty: there is none.
        std::string type;
        std::optional<std::string> type_schema = std::nullopt;
        std::size_t begin = 0;  ///< of the value in the text, casts included
        std::size_t end = 0;

        friend bool operator==(const Argument&, const Argument&) = default;
    };

    std::optional<std::string> schema;
    std::string name;
    std::string reference;  ///< how its columns may be qualified: the alias, else its name
    std::vector<Argument> arguments;
    std::size_t begin = 0;
    std::size_t end = 0;  ///< past the alias, if there is one

    friend bool operator==(const FunctionCall&, const FunctionCall&) = default;
};

/// Whether the name, in any case and maybe in quotes, stands before a parenthesis: a cheap look at
/// a text. A call with a comment between the two is not seen.
bool mentions_call(std::string_view text, std::string_view name);

/// Of a normalised text. Nothing where it is anything else, or has the row itself as a value
/// (SELECT m FROM match() m): a function's row is of another type than that of a sub-select in its
/// place.
std::optional<FunctionCall> read_function_call(std::string_view text);

}  // namespace veer::parser
