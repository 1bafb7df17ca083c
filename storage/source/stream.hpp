#pragma once

#include "storage/error.hpp"
#include "storage/lsn.hpp"
#include "storage/source/connection.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace veer::storage::source {

/// A piece of the stream: one pgoutput message.
struct XLogData {
    std::string_view message;  ///< lives until the next call of the stream
};

/// Outside a transaction, everything up to `wal_end` has been delivered.
struct Keepalive {
    Lsn wal_end;
    bool reply_requested = false;
};

/// Nothing came in time.
struct Silence {};

using StreamEvent = std::variant<Silence, XLogData, Keepalive>;

/// What IDENTIFY_SYSTEM says of the server behind a replication connection.
struct SystemIdentity {
    std::string system_id;
    std::uint32_t timeline = 0;
    Lsn end;  ///< flushed so far; on a standby, replayed
};

Result<SystemIdentity> identify_system(Connection& replication);

struct StreamOptions {
    std::string slot;
    std::string publication;
    Lsn start;  ///< transactions that commit at or after it are sent
    /// Large transactions come before their commit (protocol version 2, PostgreSQL 14 and later).
    bool streaming = false;
};

/// A replication connection in START_REPLICATION (PostgreSQL manual, "Streaming Replication
/// Protocol").
///
///     server ──▶ 'w' start, end, time, pgoutput message      'k' wal_end, time, reply requested
///     veer   ──▶ 'r' written, flushed, applied, time, reply requested
///
/// Whoever owns it must call next() often: a server whose stream nobody reads can stall its own
/// checkpoints (see README.md).
class Stream {
  public:
    /// Fails with Errc::gone where slot or publication are missing or invalidated, and with
    /// Errc::connection and `connection.sqlstate() == "55006"` where the slot is in use.
    static Result<Stream> start(Connection& connection, const StreamOptions& options);

    /// Waits for the next message until `deadline`.
    Result<StreamEvent> next(std::chrono::steady_clock::time_point deadline);

    /// Tells the server that everything up to `flushed` is safe here, and may be forgotten there.
    /// `asks`: it shall answer at once, with a Keepalive.
    Result<void> confirm(Lsn received, Lsn flushed, bool asks = false);

  private:
    explicit Stream(Connection& connection) : connection_{&connection} {}

    Connection* connection_;
};

/// What a failure of the stream means, by its SQLSTATE. A definite loss (42704: no such slot or
/// publication; 55000: invalidated) is not to be retried. But 55000 is also what a standby says of
/// a slot that it cannot read before it is promoted.
Error judge_stream_failure(std::string_view sqlstate, bool in_recovery, Error error);

/// Decodes one CopyData message of the stream.
Result<StreamEvent> decode_stream(std::string_view bytes);

}  // namespace veer::storage::source
