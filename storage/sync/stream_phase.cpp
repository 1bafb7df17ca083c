#include "storage/source/slot.hpp"
#include "storage/source/stream.hpp"
#include "storage/sync/catalogue_watch.hpp"
#include "storage/sync/resolve.hpp"
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

/// Follows the stream: the message loop and its two timers.
///
///     Commit ────▶ resolve ─▶ store.write ─▶ observer.apply          at once
///     Keepalive ─▶ observer.applied; stored with the next sync
///     200 ms ────▶ store.sync, where anything is not durable yet
///     1 s, or when the server asks ─▶ store.sync, then confirm what is durable
class Follower {
  public:
    Follower(
        source::Stream& stream, store::Store& store, Progress& progress, std::vector<Table> tables
    )
        : stream_{stream},
          store_{store},
          progress_{progress},
          assembler_{std::move(tables)},
          stored_{progress.position()} {}

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
            take(*keepalive);
        }
        return taken.has_value() ? run_timers(reply) : taken;
    }

    /// Makes durable what was applied; the last step, also after a failure.
    Result<void> sync() {
        if (const Lsn position = progress_.position(); position > stored_) {
            if (auto written = store_.write({}, position); !written.has_value()) {
                return written;
            }
            stored_ = position;
        }
        if (durable_ == stored_) {
            return {};
        }
        auto synced = store_.sync();
        if (!synced.has_value()) {
            return synced.error();
        }
        durable_ = *synced;
        return {};
    }

    Result<void> confirm() { return stream_.confirm(progress_.position(), durable_); }

  private:
    Result<void> take(std::string_view message) {
        auto decoded = source::pgoutput::decode(message);
        if (!decoded.has_value()) {
            return decoded.error();
        }
        auto transaction = assembler_.take(*decoded);
        if (!transaction.has_value()) {
            return transaction.error();
        }
        return transaction->has_value() ? apply(std::move(**transaction)) : Result<void>{};
    }

    void take(const source::Keepalive& keepalive) {
        if (!assembler_.inside() && keepalive.wal_end > progress_.position()) {
            progress_.applied(keepalive.wal_end);
        }
    }

    Result<void> apply(Transaction transaction) {
        if (transaction.end_lsn <= progress_.position()) {
            return {};  // sent again, though already applied
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
        auto written = store_.write(resolved->changes, resolved->end_lsn);
        if (written.has_value()) {
            stored_ = resolved->end_lsn;
            progress_.apply(*resolved);
        }
        return written;
    }

    Result<void> run_timers(bool reply) {
        const Clock::time_point now = Clock::now();
        const bool confirming = reply || now >= status_due_;
        if (confirming || now >= sync_due_) {
            if (auto synced = sync(); !synced.has_value()) {
                return synced;
            }
            sync_due_ = now + sync_every;
        }
        if (confirming) {
            status_due_ = now + status_every;
            return confirm();
        }
        return {};
    }

    source::Stream& stream_;
    store::Store& store_;
    Progress& progress_;
    TransactionAssembler assembler_;
    Lsn stored_;   ///< written to the store
    Lsn durable_;  ///< fsynced; at first nothing, as an earlier run may have died before it could
    Clock::time_point sync_due_ = Clock::now() + sync_every;
    Clock::time_point status_due_ = Clock::now();
};

}  // namespace

/// The slot's position is read after the start, when nobody else can move it any more: had it been
/// past the copy, Postgres would have skipped the difference without an error.
Result<void> Session::verify_start(Lsn start) {
    auto slot = source::read_slot(*catalogue_connection_, name_);
    if (!slot.has_value()) {
        return slot.error();
    }
    if (!slot->has_value() || !(*slot)->usable || (*slot)->confirmed_flush > start) {
        return Error{
            Errc::gone,
            "The replication slot " + name_ + " does not reach back to " + to_string(start) + "."};
    }
    return {};
}

Error Session::stream() {
    auto state = context_.store.state();
    if (!state.has_value()) {
        return state.error();
    }
    const Lsn start = context_.progress.position();
    Result<source::Stream> stream = Error{};
    for (int attempt = 1;; ++attempt) {
        if (!replication_.has_value()) {
            auto opened = source::Connection::open(connect_options(true));
            if (!opened.has_value()) {
                return opened.error();
            }
            replication_.emplace(std::move(*opened));
        }
        stream = source::Stream::start(*replication_, {name_, name_, start});
        if (stream.has_value()) {
            break;
        }
        if (replication_->sqlstate() != "55006" || attempt == start_attempts_max) {
            return stream.error();
        }
        replication_.reset();
        auto evicted = source::evict_holder(*catalogue_connection_, name_, name_);
        if (!evicted.has_value()) {
            return evicted.error();
        }
    }
    if (auto verified = verify_start(start); !verified.has_value()) {
        return verified.error();
    }
    catalogue_connection_.reset();
    const CatalogueWatch watch{connect_options(false), **state, context_.options.catalogue_every};
    Follower follower{*stream, context_.store, context_.progress, (*state)->tables};
    streamed_ = true;
    context_.progress.enter(Phase::streaming, "");
    spdlog::info("sync: streaming from {}", to_string(start));
    Result<void> stepped = follower.step();
    while (stepped.has_value() && !watch.finding().has_value()) {
        if (auto ended = interrupted(); !ended.has_value()) {
            stepped = ended;
            break;
        }
        context_.progress.enter(Phase::streaming, context_.guard.warning());
        stepped = follower.step();
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
