#pragma once

#include "index/replica.hpp"
#include "router/compare/change_log.hpp"
#include "router/compare/judgement.hpp"
#include "storage/error.hpp"
#include "storage/lsn.hpp"
#include "storage/source/connection.hpp"
#include "storage/source/wake.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace veer::proxy::compare {

/// What is asked of pgvector.
struct Question {
    const index::IndexedColumn& column;
    std::span<const float> vector;
    std::size_t k = 0;
    const index::Filter* filter = nullptr;  ///< only rows that pass, or all
    /// Of which veer's rows are asked for, too; positions in Table::copied.
    std::span<const std::size_t> columns = {};
    std::optional<std::uint32_t> ef_search;       ///< else what veer's role has
    const router::compare::Rows* veer = nullptr;  ///< whose rows are to be confirmed
    bool ask_twice = false;  ///< where the answers differ: does Postgres agree with itself?
    router::compare::Tolerance tolerance;
};

struct PgAnswer {
    router::compare::Rows rows;
    /// Postgres' word on rows that veer alone has, see Triangle.
    std::map<std::string, std::optional<double>> confirmed;
    std::set<std::string> outside;  ///< of these, see Triangle
    std::map<std::string, std::vector<std::optional<std::string>>> payload;  ///< see Triangle
    router::compare::PgSnapshot snapshot;                                    ///< of all of it
    storage::Lsn lsn;  ///< insert position afterwards: nothing seen is beyond
    std::uint32_t ef_search = 0;
    double milliseconds = 0;
    double round_trip_ms = 0;  ///< of which: a statement that looks at nothing
    bool moving = false;
};

/// pgvector, asked on a connection of veer's own, by veer's own role, for keys and distances only:
///
///     BEGIN REPEATABLE READ READ ONLY; settings; snapshot
///     SELECT key, distance ... [WHERE] ORDER BY distance LIMIT k     the answer, timed
///     SELECT key, distance ... WHERE key = ANY (...)                 rows that veer alone has
///     SELECT key, distance ... WHERE key = ANY (...) AND WHERE       which of these pass
///     SELECT key, columns ... WHERE key = ANY (...)                  veer's rows as they are there
///     SELECT insert position; COMMIT
///
/// Invariants:
/// 1. One snapshot for all of it: what one statement sees, the others do.
/// 2. Each statement ends by statement_time_max; a failure ends the connection.
/// 3. Used by one thread.
class Pgvector {
  public:
    static constexpr std::chrono::milliseconds statement_time_max{5000};
    /// Of so many rows of an answer, the nearest, other columns are compared.
    static constexpr std::size_t payload_rows_max = 100;

    /// `wake` ends every wait, and outlives this.
    Pgvector(std::string dsn, const storage::source::Wake& wake)
        : dsn_(std::move(dsn)), wake_(wake) {}

    storage::Result<PgAnswer> ask(const Question& question);

    bool connected() const { return connection_.has_value(); }

  private:
    struct Statement;

    storage::Result<PgAnswer> ask_connected(const Question& question);
    storage::Result<Statement> begin(const Question& question, PgAnswer& answer);
    storage::Result<void> confirm(
        const Question& question, const Statement& statement, PgAnswer& answer
    );
    storage::Result<void> ask_payload(
        const Question& question, const Statement& statement, PgAnswer& answer
    );
    storage::Result<router::compare::Rows> rows_of(
        const Statement& statement, const std::string& tail
    );
    storage::Result<router::compare::Rows> rows_of(
        const Statement& statement, const std::string& select, const std::string& tail
    );

    std::string dsn_;
    const storage::source::Wake& wake_;
    std::optional<storage::source::Connection> connection_;
};

}  // namespace veer::proxy::compare
