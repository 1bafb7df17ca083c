#pragma once

#include "storage/source/connection.hpp"
#include "storage/source/wake.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace veer::storage::sync {

/// The prefix of its messages. Others' say nothing of rows, and are no landmark: in a streamed
/// transaction they come under its own id, even where a savepoint that is rolled back has sent
/// them.
inline constexpr std::string_view flush_prefix = "veer.flush";

/// Makes Postgres flush its log now, by committing a tiny logical message.
///
/// A search that waits for an insert position may wait for bytes that nobody flushes: a rolled-back
/// transaction, an asynchronous commit, a hint bit under checksums. The walsender sends only what
/// is flushed, the walwriter comes every 200 ms; a commit comes at once (REPLICATION.md 3.1,
/// measured 0.85 ms).
///
///     request() ──▶ pending ──▶ one commit for all who asked before it began
///
/// The message comes with the stream as a transaction of its own, and so makes a landmark, too
/// (store::History), where nothing else is written that does.
///
/// Its own connection and thread, so that it waits for nothing else; trouble is not its business:
/// who waits has a deadline.
class FlushNudge {
  public:
    explicit FlushNudge(std::string dsn);
    FlushNudge(const FlushNudge&) = delete;
    FlushNudge& operator=(const FlushNudge&) = delete;

    /// Stops at once, and joins.
    ~FlushNudge();

    /// Asks for a flush that begins after this call. From any thread; never waits.
    void request();

  private:
    void run();
    bool flush_or_ask_again();
    bool flush();

    std::string dsn_;
    source::Wake wake_;
    std::optional<source::Connection> connection_;  // of the thread's own
    std::mutex mutex_;
    std::condition_variable changed_;
    bool pending_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace veer::storage::sync
