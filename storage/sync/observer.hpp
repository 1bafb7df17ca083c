#pragma once

#include "storage/lsn.hpp"
#include "storage/row.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace veer::storage::sync {

/// Where the copy stands. Only `streaming` may be served from.
enum class Phase {
    waiting,    ///< upstream unreachable, not permitted, or no vector index found; see `reason`
    copying,    ///< initial copy under the exported snapshot
    loading,    ///< reading the rows of an earlier run back from the store
    streaming,  ///< rows are complete up to `applied`, and following
};

std::string_view to_string(Phase phase);

struct Status {
    Phase phase = Phase::waiting;
    std::string reason;           ///< one sentence for people; empty when all is well
    std::uint64_t rows_done = 0;  ///< rows copied or loaded in this phase, all tables
    double rows_estimated = 0;    ///< of so many
    Lsn applied;
};

/// Who is told what became of the rows: the index.
///
///     begin(tables) ─▶ rows(...)* ─▶ ready(lsn) ─▶ ( apply(transaction) | applied(lsn)
///          ▲                                         | redefine(tables) )*
///          └───────────── another copy is needed: start over ──┘
///
/// Contract:
/// 1. All calls come from one thread (the syncer's), in the order of the picture; begin() may come
///    again at any time and forgets everything before it.
/// 2. What is told is already in the store's batch, though not yet necessarily fsynced.
/// 3. After apply(t) or applied(lsn) returns, a search must see all up to that position.
/// 4. Calls may block (the copy waits for the index); they must not fail.
class Observer {
  public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;

    /// A copy of these tables of `database` begins; nothing of it may be served yet.
    virtual void begin(const std::string& database, const std::vector<Table>& tables) = 0;

    /// Rows of the copy, keys not seen before in this table. UnchangedVector does not occur.
    virtual void rows(TableOid table, std::span<const Row> rows) = 0;

    /// The copy is complete and consistent as of `applied`.
    virtual void ready(Lsn applied) = 0;

    /// One transaction after ready(). `transaction` has no UnchangedVector left: the syncer has
    /// resolved them from the store.
    virtual void apply(const Transaction& transaction) = 0;

    /// After ready(): these are the tables now. Each is one of begin() with the same rows and
    /// indexes, though perhaps with another name or other columns; whichever is missing has left,
    /// and nothing more comes of it. What is served goes on.
    virtual void redefine(const std::vector<Table>& /*tables*/) {}

    /// Nothing of interest happened up to `lsn` (keepalive, or other tables' transactions).
    virtual void applied(Lsn lsn) = 0;

    /// Progress and trouble, for `SHOW veer.routes`; a phase other than streaming stops serving.
    virtual void status(const Status& status) = 0;
};

}  // namespace veer::storage::sync
