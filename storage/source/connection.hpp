#pragma once

#include "storage/error.hpp"
#include "storage/source/connection_string.hpp"
#include "storage/source/wake.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct pg_conn;
struct pg_result;

namespace veer::storage::source {

/// The rows of one statement, in text format.
class QueryResult {
  public:
    explicit QueryResult(pg_result* result);

    int size() const;
    int columns() const;
    bool is_null(int row, int column) const;
    std::string text(int row, int column) const;
    bool boolean(int row, int column) const;
    std::int64_t integer(int row, int column) const;

  private:
    struct Clear {
        void operator()(pg_result* result) const;
    };

    std::unique_ptr<pg_result, Clear> result_;
};

struct ConnectOptions {
    std::string dsn;               ///< libpq syntax
    std::string application_name;  ///< by which veer knows its own sessions again
    bool replication = false;      ///< a walsender of the DSN's database
    /// Ends every wait of the connection; must outlive it.
    const Wake* wake = nullptr;
    /// One of the DSN's hosts, whatever role it has; else the first that fits.
    std::optional<Host> only_host = {};
    /// Of connecting, and of each statement: longer than any lock_timeout that veer sets, so that
    /// the server's own reason arrives first.
    std::chrono::milliseconds connect_time_max{10'000};
    std::chrono::milliseconds statement_time_max{60'000};
};

/// What a session of veer's begins with: a role or database may have other defaults, which would
/// end a copy, or a session that lives long. `server_version` as server_version_num has it.
std::string session_settings(int server_version);

/// One session of veer's own, with `search_path` empty: everything is qualified.
///
/// Invariants:
/// 1. Every wait ends: when woken, at the deadline, or (TCP keepalives) when the peer is gone.
/// 2. Used by one thread at a time.
/// 3. No message contains the DSN.
class Connection {
  public:
    static Result<Connection> open(const ConnectOptions& options);

    /// Runs one or more statements by the simple protocol; returns the last one's rows.
    Result<QueryResult> query(const std::string& sql);

    /// Runs one statement by the extended protocol, with `parameter` for $1.
    Result<QueryResult> query(const std::string& sql, const std::string& parameter);

    /// Starts a COPY of the kind named by `sql`; read_copy() follows.
    Result<void> begin_copy(const std::string& sql);

    struct CopyData {
        std::string_view bytes = {};  ///< lives until the next call
        bool ended = false;
        bool timed_out = false;
    };

    /// Waits for the next CopyData message until `deadline`.
    Result<CopyData> read_copy(std::chrono::steady_clock::time_point deadline);

    /// Sends one CopyData message.
    Result<void> write_copy(std::string_view bytes);

    /// SQLSTATE of the last failure, empty where the server said nothing.
    const std::string& sqlstate() const { return sqlstate_; }

    /// As the server said last: when the session began, or since then at the end of a statement.
    bool in_recovery() const;

    std::string quote_identifier(std::string_view name) const;
    std::string quote_literal(std::string_view text) const;

  private:
    struct Finish {
        void operator()(pg_conn* connection) const;
    };

    struct Free {
        void operator()(char* memory) const;
    };

    enum class Waited { ready, timed_out };

    Connection(pg_conn* connection, const ConnectOptions& options);

    Result<void> establish(std::chrono::milliseconds time_max);
    Result<QueryResult> last_result(std::chrono::steady_clock::time_point deadline);
    Result<void> send_all(std::chrono::steady_clock::time_point deadline);
    Result<pg_result*> next_result(std::chrono::steady_clock::time_point deadline);
    Result<Waited> wait(bool for_write, std::chrono::steady_clock::time_point deadline) const;
    Error failure(const pg_result* result);

    std::unique_ptr<pg_conn, Finish> connection_;
    std::unique_ptr<char, Free> copied_;
    const Wake* wake_;
    std::chrono::milliseconds statement_time_max_;
    std::string sqlstate_;
};

}  // namespace veer::storage::source
