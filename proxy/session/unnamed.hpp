#pragma once

#include <cstdint>
#include <string>

namespace veer::proxy::session {

/// How far Postgres' unnamed statement and unnamed portal are from what the client believes of
/// them, because veer has answered in between. Put right before anything that names them goes to
/// the server.
///
///                      client's Parse answered by veer
///     in_step ─────────────────────────────────────────▶ unseen    put right by: that Parse
///        │     client's simple Query or Close answered    ▲
///        └──────────────────────────────────────▶ stale ──┘        put right by: Close
struct Unnamed {
    enum class Statement : std::uint8_t {
        in_step,
        stale,   ///< Postgres may have one that the client believes gone
        unseen,  ///< the client has one that Postgres has not seen: `parse`
    };

    Statement statement = Statement::in_step;
    std::string parse;  ///< the client's message

    bool portal_open = false;   ///< Postgres may have one
    bool portal_stale = false;  ///< which the client believes gone or replaced

    bool in_step() const { return statement == Statement::in_step && !portal_stale; }

    /// The client's unnamed statement is gone, and Postgres' is another matter.
    void lose_statement() {
        statement = Statement::stale;
        parse.clear();
    }

    void see_statement() {
        statement = Statement::in_step;
        parse.clear();
    }

    void lose_portal() { portal_stale = portal_open; }

    /// What a simple Query does to both, wherever it is answered (manual 55.2.3).
    void lose_both() {
        lose_statement();
        lose_portal();
    }

    void see_query() {
        see_statement();
        portal_open = portal_stale = false;
    }
};

}  // namespace veer::proxy::session
