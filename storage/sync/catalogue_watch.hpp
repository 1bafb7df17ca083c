#pragma once

#include "storage/column_choice.hpp"
#include "storage/source/catalogue.hpp"
#include "storage/source/connection.hpp"
#include "storage/source/empty_partitions.hpp"
#include "storage/source/publication.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace veer::storage::sync {

/// What the stream does not tell.
struct CatalogueView {
    source::Catalogue catalogue;
    source::Publication publication;
    source::EmptyPartitions empty = {};  ///< of those that have come since the watch began
    Lsn looked = {};  ///< who is seen here has committed before; of no meaning without partitions
};

/// Reads the catalogue again and again, on a thread and a connection of its own (a schema change
/// may have the catalogue locked, which must not hold up the stream), and says when it has changed.
/// Most schema changes leave no trace in the stream.
///
/// Its own trouble with the connection is no finding: the stream has the same, and says so.
///
/// It also takes out of the publication what is no longer copied, again at each look until it is
/// done: Postgres refuses updates of a published table that has lost its key, and a lock, a copy
/// that takes hours or a restart of veer must not leave it so. Not before the stream has taken a
/// view without that table, though: until then it is searched, and must hear of every row. That it
/// waits for as long as `leave_after`: while a large transaction is applied no view is taken, and a
/// table that has lost its key, which no session takes for the one that was copied, must be free
/// again.
class CatalogueWatch {
  public:
    /// `options.wake` is not used: the watch has a wake of its own.
    CatalogueWatch(
        source::ConnectOptions options,
        std::string publication,
        ColumnChoices columns,
        std::chrono::milliseconds every,
        std::chrono::milliseconds leave_after = std::chrono::seconds{5}
    );
    CatalogueWatch(const CatalogueWatch&) = delete;
    CatalogueWatch& operator=(const CatalogueWatch&) = delete;

    /// Stops at once, and joins.
    ~CatalogueWatch();

    /// Returns why nothing can be followed any more, in words, or nothing so far.
    std::optional<std::string> finding() const;

    /// Returns how everything is now, at first and where it has changed since the last call; never
    /// what was seen by a look that had begun before tell_again().
    std::optional<CatalogueView> take_view();

    /// Whether the upstream has gone on to another timeline: where the stream lives on, of a
    /// standby that was promoted or at a server that is no more the primary, it is to be begun
    /// anew.
    bool moved() const { return moved_.load(std::memory_order_acquire); }

    /// The view that take_view() returned last is what is followed from now on.
    void taken() { taken_.store(handed_out_, std::memory_order_release); }

    /// A table has joined. A look that began before may have seen it as it was before it was
    /// copied, not yet published, say: it is not told. The next one is, though nothing may have
    /// changed.
    void tell_again() { asked_.fetch_add(1, std::memory_order_acq_rel); }

  private:
    void run();
    Result<std::optional<std::string>> look(source::Connection& connection);
    void look_at_timeline(source::Connection& connection);
    void tell(CatalogueView view);
    Result<bool> look_at_partitions(source::Connection& connection, CatalogueView& view);
    Result<void> keep_publication(source::Connection& connection, const std::vector<Table>& kept);

    source::Wake wake_;
    source::ConnectOptions options_;
    std::string publication_;
    ColumnChoices columns_;
    std::chrono::milliseconds every_;
    std::chrono::milliseconds leave_after_;
    std::chrono::steady_clock::time_point told_at_;  ///< of the thread's own
    std::optional<CatalogueView> last_;              ///< of the thread's own
    std::uint64_t looked_ = 0;                       ///< the same: asked_, when the look began
    std::uint64_t told_ = 0;                         ///< the same: views so far
    bool to_leave_ = false;          ///< the same: the publication waits for taken()
    Partitions judged_;              ///< the same: whether they are empty, nobody asks (again)
    source::EmptyPartitions empty_;  ///< the same: of them, those that were
    std::int64_t timeline_ = 0;      ///< the same: the first one seen
    std::atomic<bool> moved_{false};
    std::atomic<bool> found_{false};
    std::atomic<bool> changed_{false};
    std::atomic<std::uint64_t> asked_{0};
    std::atomic<std::uint64_t> taken_{0};  ///< of the views: their number
    std::uint64_t handed_out_ = 0;         ///< the same, of the stream's own
    std::string warned_;                   ///< of the publication, last: said once
    mutable std::mutex mutex_;
    std::optional<std::string> finding_;
    std::optional<CatalogueView> view_;
    std::uint64_t view_looked_ = 0;
    std::uint64_t view_number_ = 0;
    std::thread thread_;
};

}  // namespace veer::storage::sync
