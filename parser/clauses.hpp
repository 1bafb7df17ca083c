#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace veer::parser {

/// Where a condition can be added to a SELECT by inserting text.
///
///     SELECT id FROM t WHERE a = 1 OR b ORDER BY e <-> $1 LIMIT 5
///                           ^ condition ^ order
///     SELECT id FROM t WHERE(a = 1 OR b ) AND key ... ORDER BY e <-> $1 LIMIT 5
struct Clauses {
    std::optional<std::size_t> condition;  ///< just past the word WHERE, if there is one
    std::size_t order = 0;                 ///< of ORDER BY
    std::size_t begin = 0;                 ///< of the SELECT, inside its parentheses if it has any
    std::size_t end = 0;                   ///< just past it

    friend bool operator==(const Clauses&, const Clauses&) = default;
};

/// Of the innermost SELECT whose text has this byte in it; nothing where it has no ORDER BY. The
/// statement is one that libpg_query accepts.
std::optional<Clauses> find_clauses(std::string_view text, std::size_t location);

/// The text with one more condition, which is `key` ("t.id = 1"). The condition that is there is
/// put into parentheses, of which the first takes the place of a white space, so that what follows
/// it stays where it is (positions in Postgres' messages).
std::string add_condition(std::string_view text, const Clauses& clauses, std::string_view key);

/// Of UTF-8.
std::size_t characters(std::string_view text);

/// Of a character of what add_condition() has made of `text`, its place in `text`; of one of the
/// key's, the place where that was put. Counted from 1, as Postgres does.
std::size_t position_before(
    std::string_view text, const Clauses& clauses, std::string_view changed, std::size_t position
);

}  // namespace veer::parser
