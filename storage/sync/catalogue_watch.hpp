#pragma once

#include "storage/source/connection.hpp"
#include "storage/store/sync_state.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace veer::storage::sync {

struct CatalogueChange {
    std::vector<Table> tables;
    std::string publication_fingerprint;
};

/// Reads the catalogue again and again, on a thread and a connection of its own (a schema change
/// may have the catalogue locked, which must not hold up the stream), and says when it no longer is
/// what the copy was made of. Most schema changes leave no trace in the stream.
///
/// What needs no copy is told as a change, which the stream takes over and goes on.
///
/// Its own trouble with the connection is no finding: the stream has the same, and says so.
class CatalogueWatch {
  public:
    /// `options.wake` is not used: the watch has a wake of its own.
    CatalogueWatch(
        source::ConnectOptions options, store::SyncState state, std::chrono::milliseconds every
    );
    CatalogueWatch(const CatalogueWatch&) = delete;
    CatalogueWatch& operator=(const CatalogueWatch&) = delete;

    /// Stops at once, and joins.
    ~CatalogueWatch();

    /// Returns why another copy is needed, in words, or nothing so far.
    std::optional<std::string> finding() const;

    /// Returns how the tables are now, where they have changed since the last call in a way that
    /// needs no copy.
    std::optional<CatalogueChange> take_change();

  private:
    void run();
    Result<std::optional<std::string>> look(source::Connection& connection);
    void follow(source::Connection& connection, CatalogueChange change);

    source::Wake wake_;
    source::ConnectOptions options_;
    store::SyncState state_;  ///< of the thread's own
    std::chrono::milliseconds every_;
    std::atomic<bool> found_{false};
    std::atomic<bool> changed_{false};
    mutable std::mutex mutex_;
    std::optional<std::string> finding_;
    std::optional<CatalogueChange> change_;
    std::thread thread_;
};

}  // namespace veer::storage::sync
