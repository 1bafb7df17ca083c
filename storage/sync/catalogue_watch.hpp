#pragma once

#include "storage/source/connection.hpp"
#include "storage/store/sync_state.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace veer::storage::sync {

/// Reads the catalogue again and again, on a thread and a connection of its own (a schema change
/// may have the catalogue locked, which must not hold up the stream), and says when it no longer is
/// what the copy was made of. Most schema changes leave no trace in the stream.
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

    /// Returns what has changed, in words, or nothing so far.
    std::optional<std::string> finding() const;

  private:
    void run();
    Result<std::optional<std::string>> look(source::Connection& connection) const;

    source::Wake wake_;
    source::ConnectOptions options_;
    store::SyncState state_;
    std::chrono::milliseconds every_;
    std::atomic<bool> found_{false};
    mutable std::mutex mutex_;
    std::optional<std::string> finding_;
    std::thread thread_;
};

}  // namespace veer::storage::sync
