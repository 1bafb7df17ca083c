#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

struct pg_conn;

namespace veer::tests {

/// Rows of text; NULL is "\\N".
using Rows = std::vector<std::vector<std::string>>;

/// One libpq session of a test, kept open. Every failure throws std::runtime_error: it ends the
/// test.
class PostgresClient {
  public:
    explicit PostgresClient(const std::string& dsn);

    /// Runs one or more statements; returns the last one's rows. A replication stream stays open.
    Rows query(const std::string& sql);

    void exec(const std::string& sql) { query(sql); }

    /// The only value of the only row.
    std::string value(const std::string& sql);

  private:
    struct Finish {
        void operator()(pg_conn* connection) const;
    };

    std::unique_ptr<pg_conn, Finish> connection_;
};

/// Polls until `predicate` holds; returns false where it does not within `time_max`, which says
/// when to give up, on the slowest of machines, and nothing of how long it should take.
bool wait_until(
    const std::function<bool()>& predicate,
    std::chrono::milliseconds time_max = std::chrono::minutes{3}
);

}  // namespace veer::tests
