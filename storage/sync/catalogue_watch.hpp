#pragma once

#include "storage/column_choice.hpp"
#include "storage/source/catalogue.hpp"
#include "storage/source/connection.hpp"
#include "storage/source/publication.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace veer::storage::sync {

/// What the stream does not tell.
struct CatalogueView {
    source::Catalogue catalogue;
    source::Publication publication;
};

/// Reads the catalogue again and again, on a thread and a connection of its own (a schema change
/// may have the catalogue locked, which must not hold up the stream), and says when it has changed.
/// Most schema changes leave no trace in the stream.
///
/// Its own trouble with the connection is no finding: the stream has the same, and says so.
class CatalogueWatch {
  public:
    /// `options.wake` is not used: the watch has a wake of its own.
    CatalogueWatch(
        source::ConnectOptions options,
        std::string publication,
        ColumnChoices columns,
        std::chrono::milliseconds every
    );
    CatalogueWatch(const CatalogueWatch&) = delete;
    CatalogueWatch& operator=(const CatalogueWatch&) = delete;

    /// Stops at once, and joins.
    ~CatalogueWatch();

    /// Returns why nothing can be followed any more, in words, or nothing so far.
    std::optional<std::string> finding() const;

    /// Returns how everything is now, at first and where it has changed since the last call.
    std::optional<CatalogueView> take_view();

  private:
    void run();
    Result<std::optional<std::string>> look(source::Connection& connection);

    source::Wake wake_;
    source::ConnectOptions options_;
    std::string publication_;
    ColumnChoices columns_;
    std::chrono::milliseconds every_;
    std::optional<CatalogueView> last_;  ///< of the thread's own
    std::atomic<bool> found_{false};
    std::atomic<bool> changed_{false};
    mutable std::mutex mutex_;
    std::optional<std::string> finding_;
    std::optional<CatalogueView> view_;
    std::thread thread_;
};

}  // namespace veer::storage::sync
