#pragma once

#include "proxy/session/output.hpp"
#include "proxy/session/prepared_statement.hpp"
#include "proxy/wire/frame.hpp"
#include "router/compare/observation.hpp"
#include "router/decide.hpp"
#include "router/function.hpp"
#include "router/management.hpp"
#include "router/notice.hpp"
#include "router/route.hpp"
#include "router/search.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace veer::proxy::session {

/// One search on its way to an answer. While it exists, the client's further messages wait.
///
///     simple Query ────────────────────────▶ ┐        ┌▶ waiting (for the index to catch up) ─┐
///     Bind ▶ collecting ▶ Execute + 1, Flush ▶ asking ─┴──────────────────────────────────────┴▶
///                 │                              │      searching ▶ local answer, or rewriting
///                 │                              └─ (facts still hold) ──▲        │
///                 ▼ anything else: to Postgres                        ▲           ▼ done
///                                                                     └── too few rows: more keys
///
/// A statement that makes or drops an index goes from asking to storing, and ends there.
///
/// Where the statement calls a function that is not known, that is asked for before the facts, and
/// where the query vector stands in a row, that is asked for after the facts, in the same way.
///
/// "Execute + 1": the message after Execute shows whether the search stands alone in its batch. It
/// may be waited for: Postgres owes no answer before Sync or Flush (manual 55.2.3).
///
/// Invariants:
/// 1. `held` is exactly what the client sent, so that at any point before the first byte of an
///    answer Postgres can be given the statement instead and the client cannot tell.
/// 2. Replies to earlier messages may still be on their way, but no ReadyForQuery: the state of the
///    transaction is known.
struct Attempt {
    enum class Stage : std::uint8_t { collecting, asking, waiting, searching, rewriting, storing };

    std::string held;

    std::shared_ptr<const PreparedStatement> statement;
    std::shared_ptr<const router::RouteTable> routes;
    const router::Route* route = nullptr;  ///< in `routes`
    /// Where the client's statement calls a function, and `statement` has its body instead.
    std::shared_ptr<const PreparedStatement> called = {};
    std::shared_ptr<const router::Function> function = {};
    std::string function_condition = {};  ///< what the facts have to say of it
    router::Search search;
    double bucket = 0;
    std::optional<router::compare::Observation> observed;  ///< where it belongs to the sample

    std::string portal;
    std::int32_t rows_max = 0;
    Stage stage = Stage::collecting;
    router::Service service = router::Service::rewrite;
    bool simple = false;
    bool described = false;
    bool executed = false;
    bool synced = false;  ///< Sync ends it: `held` is a whole batch, or the end of one
    bool alone = false;   ///< nothing else of its transaction is open: a Sync of veer's own is safe
    bool explains = false;         ///< `held` is an EXPLAIN of `statement`
    bool asks_management = false;  ///< the question on its way is about `statement->management`
    std::optional<router::ManagementChange> change = {};  ///< while it is stored
    bool asks_notices = false;   ///< the question on its way is for `notices`
    bool asks_names = false;     ///< it is for what is to be translated (session_translate.cpp)
    bool asks_function = false;  ///< it is for the function that `statement` calls
    bool function_looked_again = false;  ///< after facts denied it, and it is what it was
    bool asks_vector = false;            ///< it is for a query vector that stands in a row
    bool final = false;           ///< what has come of it cannot be taken back, or must not be
    bool stash_failed = false;    ///< it has an ErrorResponse in it
    bool own_error = false;       ///< which veer's rewriting may have caused
    bool stash_overflow = false;  ///< it was too long to be held back, and is lost

    Instant started;
    Instant searched;               ///< when the index was asked, the first time
    std::uint64_t write_epoch = 0;  ///< before the facts were asked for
    router::SessionFacts facts;     ///< that it is judged by
    std::uint64_t facts_epoch = 0;
    bool vector_senseless = false;  ///< no such question can be answered
    bool token_is_newer = false;    ///< than the facts: that of the query vector's row
    std::uint64_t arrivals = 0;     ///< Route::unparsable_arrivals() before the search
    std::shared_ptr<void> place;    ///< among the searches of the route's other server
    std::uint64_t candidates = 0;   ///< rows asked of the index, the last time
    std::uint64_t found = 0;        ///< rows that it had; of several vectors, the fewest
    std::vector<std::vector<index::Hit>> hits;  ///< of several vectors, of those asked for so far
    std::string stash;                          ///< the held-back reply of a rewritten statement
    std::uint64_t rows_expected = 0;
    std::string rewritten;                    ///< the statement restricted to keys
    std::optional<std::uint64_t> stash_rows;  ///< that came, or were counted

    /// Postgres answers for this reason, in any case: held only to know what to say of it.
    std::optional<router::Reason> settled;
    std::optional<router::Reason> told;  ///< of what an EXPLAIN is about, known without facts
    std::optional<router::NoticeSettings> notices;  ///< where they are known

    const parser::NearestNeighbourQuery& query() const { return *statement->statement.search(); }

    /// As the client sent it.
    const std::shared_ptr<const PreparedStatement>& as_sent() const {
        return called == nullptr ? statement : called;
    }

    /// Its Bind. Requires that it is no simple Query.
    wire::Frame bind_frame() const;
};

/// What SHOW veer.last shows.
struct LastSearch {
    std::string_view engine = "none";
    std::string reason;
    std::string route;
    double percent = 0;
    double milliseconds = 0;
    std::string wish = {};  ///< veer.route, as far as it was asked for
    std::string key = {};   ///< by which it was in the share: a hint's, or veer.key
};

}  // namespace veer::proxy::session
