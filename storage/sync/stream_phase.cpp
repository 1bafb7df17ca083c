#include "storage/source/slot.hpp"
#include "storage/source/stream.hpp"
#include "storage/sync/catalogue_watch.hpp"
#include "storage/sync/history_check.hpp"
#include "storage/sync/resolve.hpp"
#include "storage/sync/resume.hpp"
#include "storage/sync/session.hpp"
#include "storage/sync/transaction_assembler.hpp"

#include <spdlog/spdlog.h>

#include <chrono>

namespace veer::storage::sync {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds sync_every{200};
constexpr std::chrono::milliseconds status_every{1'000};
constexpr int start_attempts_max = 3;
/// So much WAL without a transaction for us before veer writes one: the slot stays at the landmark.
constexpr std::uint64_t landmark_bytes = 1U << 20U;

/// Follows the stream: the message loop and its two timers.
///
///     Commit ────▶ resolve ─▶ store.write ─▶ observer.apply          at once
///     Keepalive ─▶ observer.applied; stored with the next sync
///     200 ms ────▶ store.sync, where anything is not durable yet
///     1 s, or when the server asks ─▶ store.sync, then confirm what is durable
///
/// The slot is moved to the last transaction only, not past it, so that it comes again with the
/// next connection and shows that the history is the same. Only where the server asks, as one does
/// that shuts down and waits for it, everything is confirmed.
class Follower {
  public:
    struct Start {
        std::vector<Table> tables;
        store::History history;
        Lsn applied;
        Lsn confirmed_flush;
        bool landmarks = true;  ///< false where veer cannot write one: on a standby
    };

    Follower(
        source::Stream& stream,
        store::Store& store,
        Progress& progress,
        FlushNudge& nudge,
        Start start
    )
        : stream_{stream},
          store_{store},
          progress_{progress},
          nudge_{nudge},
          assembler_{std::move(start.tables)},
          check_{start.history, start.applied, start.confirmed_flush},
          landmarks_{start.landmarks},
          confirmed_{start.confirmed_flush},
          history_{start.history},
          stored_history_{start.history},
          stored_{start.applied} {}

    /// True once the upstream has shown that its history is the copy's.
    bool proven() const { return check_.proven(); }

    /// Handles one event, and what has become due.
    Result<void> step() {
        auto event = stream_.next(std::min(sync_due_, status_due_));
        if (!event.has_value()) {
            return event.error();
        }
        bool reply = false;
        Result<void> taken;
        if (const auto* const data = std::get_if<source::XLogData>(&*event)) {
            taken = take(data->message);
        } else if (const auto* const keepalive = std::get_if<source::Keepalive>(&*event)) {
            reply = keepalive->reply_requested;
            taken = take(*keepalive);
        }
        return taken.has_value() ? run_timers(reply) : taken;
    }

    /// Goes on with the tables as they are now; between two events.
    Result<void> redefine(const CatalogueChange& change) {
        auto stored = store_.redefine(change.tables, change.publication_fingerprint);
        if (stored.has_value()) {
            assembler_.redefine(change.tables);
            progress_.redefine(change.tables);
        }
        return stored;
    }

    /// Makes durable what was applied; the last step, also after a failure.
    Result<void> sync() {
        const Lsn position = progress_.position();
        if (position > stored_ || history_ != stored_history_) {
            if (auto written = store_.write({}, position, history_); !written.has_value()) {
                return written;
            }
            stored_ = position;
            stored_history_ = history_;
        }
        if (durable_ == stored_ && durable_history_ == stored_history_) {
            return {};
        }
        auto synced = store_.sync();
        if (!synced.has_value()) {
            return synced.error();
        }
        durable_ = *synced;
        durable_history_ = stored_history_;
        return {};
    }

  private:
    bool has_landmark() const { return history_.landmark != store::Landmark{}; }

    Result<void> take(std::string_view message) {
        auto decoded = source::pgoutput::decode(message);
        if (!decoded.has_value()) {
            return decoded.error();
        }
        const auto* const begin = std::get_if<source::pgoutput::Begin>(&*decoded);
        auto fresh = begin == nullptr ? Result<bool>{true} : check_.take(*begin);
        if (!fresh.has_value()) {
            return fresh.error();
        }
        auto transaction = assembler_.take(*decoded);
        if (!transaction.has_value()) {
            return transaction.error();
        }
        if (!*fresh) {
            assembler_.skip_rows();
        }
        return transaction->has_value() ? apply(std::move(**transaction)) : Result<void>{};
    }

    Result<void> take(const source::Keepalive& keepalive) {
        if (assembler_.inside()) {
            return {};
        }
        if (auto passed = check_.passed(keepalive.wal_end); !passed.has_value()) {
            return passed;
        }
        if (keepalive.wal_end > progress_.position()) {
            progress_.applied(keepalive.wal_end);
        }
        return {};
    }

    Result<void> apply(Transaction transaction) {
        if (auto passed = check_.passed(transaction.end_lsn); !passed.has_value()) {
            return passed;
        }
        if (transaction.end_lsn <= progress_.position()) {
            return {};  // sent again, though already applied
        }
        if (landmarks_) {
            history_.landmark = {transaction.commit_lsn, transaction.timestamp, transaction.xid};
        }
        if (transaction.changes.empty()) {
            progress_.applied(transaction.end_lsn);
            return {};
        }
        auto resolved =
            resolve_unchanged(std::move(transaction), [this](TableOid table, const RowKey& key) {
                return store_.get(table, key);
            });
        if (!resolved.has_value()) {
            return resolved.error();
        }
        auto written = store_.write(resolved->changes, resolved->end_lsn, history_);
        if (written.has_value()) {
            stored_ = resolved->end_lsn;
            stored_history_ = history_;
            progress_.apply(*resolved);
        }
        return written;
    }

    Result<void> run_timers(bool reply) {
        const Clock::time_point now = Clock::now();
        const bool confirming = reply || now >= status_due_;
        if (reply && proven() && has_landmark()) {
            history_.confirmed = progress_.position();
        }
        if (confirming || now >= sync_due_) {
            if (auto synced = sync(); !synced.has_value()) {
                return synced;
            }
            sync_due_ = now + sync_every;
        }
        if (confirming) {
            status_due_ = now + status_every;
            want_landmark();
            return confirm(reply);
        }
        return {};
    }

    void want_landmark() {
        if (proven() && !landmarks_) {
            history_.landmark = {};
        }
        const std::uint64_t since = progress_.position().value - history_.landmark.commit_lsn.value;
        if (proven() && landmarks_ && (!has_landmark() || since > landmark_bytes)) {
            nudge_.request();
        }
    }

    Result<void> confirm(bool all) {
        if (!proven()) {
            return stream_.confirm(confirmed_, confirmed_);
        }
        const Lsn landmark = durable_history_.landmark.commit_lsn;
        const bool hold = !all && durable_history_.landmark != store::Landmark{};
        confirmed_ = std::max(confirmed_, hold ? landmark : durable_);
        return stream_.confirm(progress_.position(), confirmed_);
    }

    source::Stream& stream_;
    store::Store& store_;
    Progress& progress_;
    FlushNudge& nudge_;
    TransactionAssembler assembler_;
    HistoryCheck check_;
    bool landmarks_;
    Lsn confirmed_;                   ///< told to the server
    store::History history_;          ///< as of the position
    store::History stored_history_;   ///< written to the store
    store::History durable_history_;  ///< fsynced
    Lsn stored_;                      ///< written to the store
    Lsn durable_;  ///< fsynced; at first nothing, as an earlier run may have died before it could
    Clock::time_point sync_due_ = Clock::now() + sync_every;
    Clock::time_point status_due_ = Clock::now();
};

}  // namespace

/// The slot's position is read after the start, when nobody else can move it any more: had it been
/// past the copy, Postgres would have skipped the difference without an error.
Result<Lsn> Session::verify_start(const store::SyncState& state) {
    auto slot = source::read_slot(*catalogue_connection_, name_);
    if (!slot.has_value()) {
        return slot.error();
    }
    const Lsn last = confirmed_at_most(state);
    if (!slot->has_value() || !(*slot)->usable || (*slot)->confirmed_flush > last) {
        return Error{
            Errc::gone,
            "The replication slot " + name_ + " does not reach back to " + to_string(last) + "."};
    }
    return (*slot)->confirmed_flush;
}

Result<bool> Session::can_write() {
    auto rows = catalogue_connection_->query("SELECT NOT pg_catalog.pg_is_in_recovery()");
    return rows.has_value() ? Result<bool>{rows->boolean(0, 0)} : rows.error();
}

Result<source::Stream> Session::start_stream(Lsn start) {
    for (int attempt = 1;; ++attempt) {
        auto stream = source::Stream::start(*replication_, {name_, name_, start});
        if (stream.has_value() || replication_->sqlstate() != "55006" ||
            attempt == start_attempts_max) {
            return stream;
        }
        auto evicted = source::evict_holder(*catalogue_connection_, name_, name_);
        if (!evicted.has_value()) {
            return evicted.error();
        }
    }
}

Error Session::stream() {
    auto state = context_.store.state();
    if (!state.has_value()) {
        return state.error();
    }
    const bool landmark = (*state)->history.landmark != store::Landmark{};
    auto stream =
        start_stream(landmark ? (*state)->history.landmark.commit_lsn : (*state)->applied);
    if (!stream.has_value()) {
        return stream.error();
    }
    started_ = true;
    auto confirmed_flush = verify_start(**state);
    return confirmed_flush.has_value() ? follow(*stream, **state, *confirmed_flush)
                                       : confirmed_flush.error();
}

Error Session::follow(source::Stream& stream, const store::SyncState& state, Lsn confirmed_flush) {
    auto writable = can_write();
    if (!writable.has_value()) {
        return writable.error();
    }
    catalogue_connection_.reset();
    CatalogueWatch watch{connect_options(false), state, context_.options.catalogue_every};
    store::History history = state.history;
    history.timeline = identity_.timeline;
    Follower follower{
        stream,
        context_.store,
        context_.progress,
        context_.nudge,
        {state.tables, history, state.applied, confirmed_flush, *writable}};
    Result<void> stepped;
    while (stepped.has_value() && !watch.finding().has_value()) {
        if (follower.proven()) {
            if (!streamed_) {
                spdlog::info("sync: streaming from {}", to_string(state.applied));
            }
            streamed_ = true;
            context_.progress.enter(Phase::streaming, context_.guard.warning());
        }
        stepped = interrupted();
        if (auto change = watch.take_change(); change.has_value() && stepped.has_value()) {
            stepped = follower.redefine(*change);
        }
        if (stepped.has_value()) {
            stepped = follower.step();
        }
    }
    if (auto synced = follower.sync(); !synced.has_value()) {
        return synced.error();
    }
    if (!stepped.has_value()) {
        return stepped.error();
    }
    return {Errc::gone, "In the catalogue, " + watch.finding().value_or("something changed") + "."};
}

}  // namespace veer::storage::sync
