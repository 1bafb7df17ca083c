#pragma once

#include "storage/source/stream.hpp"
#include "storage/store/store.hpp"
#include "storage/sync/catalogue_watch.hpp"
#include "storage/sync/flush_nudge.hpp"
#include "storage/sync/history_check.hpp"
#include "storage/sync/joiner.hpp"
#include "storage/sync/progress.hpp"
#include "storage/sync/silence.hpp"
#include "storage/sync/transaction_assembler.hpp"
#include "storage/sync/transaction_limits.hpp"
#include "storage/sync/verifier.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace veer::storage::sync {

/// Follows the stream: the message loop and its two timers.
///
///     Commit ────▶ resolve ─▶ store.write ─▶ observer.apply          at once; what is too large
///       │  │                                                         for memory, part by part
///       │  └─────▶ changes of the table that is joining, or was when its copy was cut short:
///       spooled │          in the same batch └────────▶ a table that fails leaves first, durably,
///       and is to join again
///     Keepalive ─▶ observer.applied; stored with the next sync
///     200 ms ────▶ store.sync, where anything is not durable yet
///     1 s, or when the server asks ─▶ store.sync, then confirm what is durable
///
/// The slot is moved to the last transaction with a published change only, not past it, so that it
/// comes again with the next connection and shows that the history is the same. Only where the
/// server asks, as one does that shuts down and waits for it, everything is confirmed.
class Follower {
  public:
    struct Context {
        source::Stream& stream;
        store::Store& store;
        Progress& progress;
        FlushNudge& nudge;
        Joiner& joiner;
        Verifier& verifier;
        std::function<Result<void>()> interrupted;  ///< fails where going on is for nothing
        TransactionLimits transactions;
        std::uint64_t spool_max = 0;              ///< bytes of one table; 0 is no bound
        std::chrono::milliseconds silence_max{};  ///< see SyncOptions
    };

    struct Start {
        store::SyncState state;
        Lsn confirmed_flush;
        bool landmarks = true;              ///< false where veer cannot write one: on a standby
        std::optional<Table> joining = {};  ///< whose changes were spooled, and go on to be
        Partitions partitions = {};
    };

    Follower(Context context, const Start& start);

    /// True once the upstream has shown that its history is the copy's.
    bool proven() const { return check_.proven(); }

    /// True where no table is on its way, but those that nothing can be done for at present.
    bool complete() const { return view_.has_value() && !context_.joiner.active(); }

    /// Handles one event, and what has become due.
    Result<void> step();

    /// Goes on with the tables as they are now: some leave, others are to join. Between two events.
    Result<void> take(const CatalogueView& view);

    /// True where a table has joined since the last call: what was seen of the catalogue before,
    /// nobody has compared with it.
    bool take_joined() { return std::exchange(joined_, false); }

    /// Makes durable what was applied; the last step, also after a failure.
    Result<void> sync();

  private:
    /// The table whose changes are spooled.
    struct Joining {
        Table table;
        Lsn unreadable_at;  ///< the last commit of which its changes could not be read
        std::string unreadable;
        Partitions partitions;
    };

    /// Why a table has to be copied again whose spool has no more room.
    static constexpr std::string_view spool_full =
        "While the table was copied, more was changed than [sync] wal_keep_max allows.";

    bool has_landmark() const { return history_.landmark != store::Landmark{}; }

    Result<void> take(std::string_view message);
    Result<void> take(const source::Keepalive& keepalive);
    Result<void> check(const source::pgoutput::Message& message);
    Result<void> check_begun();
    Result<void> apply(Transaction transaction);
    Result<void> apply_large(const Transaction& transaction, const Spilled& spilled);
    Result<void> write_parts(const store::CommitRecord& record);
    Result<void> write(const Transaction& transaction, const Transaction& spooled);
    store::History history_after(const Transaction& transaction) const;
    Transaction split_joining(Transaction& transaction) const;
    void follow_partitions(std::vector<Table>& before, std::vector<Table>& now);
    Result<void> leave(const TableFailures& failures);
    Result<void> settle(
        Lsn commit_lsn, TableFailures failures, const std::set<TableOid>& excused = {}
    );
    Result<void> keep(std::vector<Table> tables, std::string publication_fingerprint);
    void follow_tables();
    std::vector<Table> others() const;
    void want_others();

    Result<void> tend_joining();
    Result<void> tend_waiting();
    Result<void> begin_spool();
    Result<void> forget_joining();
    bool spools_too_much() const;
    Result<void> finish_joining();
    Result<void> end_spool();

    void tell_verifier();
    Result<void> tend_repair();

    Result<void> run_timers(bool reply);
    void want_landmark();
    Result<void> confirm(bool all);

    using Clock = std::chrono::steady_clock;

    static constexpr std::chrono::milliseconds status_every{1'000};

    Context context_;
    TransactionAssembler assembler_;
    HistoryCheck check_;
    std::optional<source::pgoutput::Begin> begun_;  ///< of it no change has come yet
    bool landmarks_;
    std::vector<Table> tables_;            ///< complete
    std::string publication_fingerprint_;  ///< of tables_
    Partitions partitions_;                ///< of tables_, and of others
    /// Of tables_: partitions that came empty, and that take no row along where they go.
    std::map<TableOid, std::set<TableOid>> fresh_;
    std::optional<Lsn> retake_;  ///< from this position on view_ is to be taken again
    std::optional<CatalogueView> view_;
    bool verifying_ = false;  ///< the verifier knows the tables
    std::optional<Joining> joining_;
    bool joined_ = false;
    Lsn confirmed_;                   ///< told to the server
    store::History history_;          ///< as of the position
    store::History stored_history_;   ///< written to the store
    store::History durable_history_;  ///< fsynced
    Lsn stored_;                      ///< written to the store
    Lsn durable_;  ///< fsynced; at first nothing, as an earlier run may have died before it could
    Silence silence_;
    Clock::time_point sync_due_;
    Clock::time_point status_due_;
};

}  // namespace veer::storage::sync
