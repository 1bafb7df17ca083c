#pragma once

#include "proxy/admin/failure.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace veer::proxy::admin {

/// One word of a statement. Names are folded to lower case unless quoted, as in Postgres.
struct Token {
    enum class Kind : std::uint8_t {
        word,       ///< a name or a keyword, not quoted
        quoted,     ///< "a name"
        string,     ///< 'text', E'text' or $$text$$, without its quotes
        number,     ///< 12, 12.5
        parameter,  ///< $1
        symbol,     ///< an operator or a punctuation mark: ( ) , ; . * = <> <= ...
        end,
    };

    Kind kind = Kind::end;
    std::string text;
    std::size_t at = 0;   ///< where it begins in the statement
    std::size_t end = 0;  ///< behind it

    bool is(std::string_view symbol_or_word) const {
        return (kind == Kind::word || kind == Kind::symbol) && text == symbol_or_word;
    }

    bool is_name() const { return kind == Kind::word || kind == Kind::quoted; }
};

/// Cuts a statement into words, comments left out; the last is of Kind::end. Fails where a quote or
/// a comment does not end.
Result<std::vector<Token>> read_tokens(std::string_view text);

/// Where each statement of a simple query begins and ends, empty ones left out.
Result<std::vector<std::string_view>> split_statements(std::string_view text);

}  // namespace veer::proxy::admin
