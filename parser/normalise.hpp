#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace veer::parser {

/// A string constant, or an ARRAY[...] of numbers, that was cut out of a statement.
struct Literal {
    enum class Kind : std::uint8_t { string, array };

    Kind kind = Kind::string;
    std::string
        text;  ///< string: its value, quotes undone; array: what stands between the brackets

    friend bool operator==(const Literal&, const Literal&) = default;
};

/// A statement with its literals cut out, so that one cached recognition serves every query vector.
///
///     SELECT id FROM t ORDER BY e <-> '[1,2,3]' LIMIT 5
///     SELECT id FROM t ORDER BY e <-> $32768    LIMIT 5        literals = {"[1,2,3]"}
///
/// Numbers stay (ORDER BY 2, vector(3), 1 - d and LIMIT 5 mean what they say). Of an array only
/// what stands between the brackets is cut, so ARRAY[1,2]::vector becomes ARRAY[$32768]::vector:
/// the text alone tells an array from a string.
///
/// 1. Equal texts mean the same, up to the values of literals and parameters.
/// 2. Placeholders count up from $32768 without a gap; at most 30,000 literals are cut.
/// 3. A client that itself uses $32768 or more gets its text back with nothing cut. recognise()
/// takes
///    such a parameter for a literal, so whoever resolves an Argument checks its index.
struct NormalisedStatement {
    /// The first literal is $32768; Postgres allows parameters up to $65535, clients use low ones.
    static constexpr std::uint32_t first_literal = 32768;

    std::string text;
    std::vector<Literal> literals;

    /// Where in the original a position of `text` lies; positions inside a placeholder map to the
    /// literal's start.
    std::size_t original_position(std::size_t position) const;

    struct Cut {
        std::size_t normalised_end = 0;  ///< just past the placeholder
        std::size_t original_end = 0;    ///< just past the literal
        std::size_t normalised_begin = 0;
        std::size_t original_begin = 0;
    };

    std::vector<Cut> cuts;
};

/// Cuts literals by PostgreSQL's lexical rules (manual 4.1.2) with standard_conforming_strings on:
/// '...' with doubled quotes becomes a literal; E'', U&'', B'', X'', N'' and $tag$...$tag$
/// constants, quoted identifiers and comments (nested ones too) are left as they are and skipped
/// over correctly. Never fails: text that is cut short in a constant is left from there on. Linear
/// in the text, one pass.
NormalisedStatement normalise(std::string_view sql);

}  // namespace veer::parser
