#include "storage/source/slot.hpp"
#include "storage/sync/catalogue_watch.hpp"
#include "storage/sync/follower.hpp"
#include "storage/sync/joiner.hpp"
#include "storage/sync/resume.hpp"
#include "storage/sync/session.hpp"
#include "storage/sync/verifier.hpp"

#include <spdlog/spdlog.h>

namespace veer::storage::sync {

namespace {

constexpr int start_attempts_max = 3;

/// As the catalogue is now, and a message further.
Result<void> step(Follower& follower, CatalogueWatch& watch) {
    Result<void> stepped;
    if (auto view = watch.take_view(); view.has_value()) {
        stepped = follower.take(*view);
        if (stepped.has_value()) {
            watch.taken();
        }
    }
    if (stepped.has_value()) {
        stepped = follower.step();
    }
    if (follower.take_joined()) {
        watch.tell_again();
    }
    return stepped;
}

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

/// Streaming of transactions that have not ended: PostgreSQL 14 and later.
Result<bool> Session::can_stream_open() {
    if (context_.options.transactions.disk_max == 0) {
        return false;
    }
    auto rows = catalogue_connection_->query(
        "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 140000"
    );
    return rows.has_value() ? Result<bool>{rows->boolean(0, 0)} : rows.error();
}

Result<source::Stream> Session::start_stream(Lsn start) {
    auto streaming = can_stream_open();
    if (!streaming.has_value()) {
        return streaming.error();
    }
    for (int attempt = 1;; ++attempt) {
        auto stream = source::Stream::start(*replication_, {name_, name_, start, *streaming});
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
    CatalogueWatch watch{
        connect_options(false), name_, context_.options.columns, context_.options.catalogue_every};
    Joiner joiner{
        {connect_options(false),
         name_,
         context_.options.columns,
         identity_,
         context_.store,
         context_.progress,
         context_.schedule,
         context_.options.copy}};
    Verifier verifier{
        {connect_options(false),
         name_,
         context_.options.columns,
         identity_,
         context_.store,
         context_.progress,
         context_.nudge,
         context_.desk,
         context_.patrol}};
    Follower::Start start{state, confirmed_flush, *writable, joining_, partitions_};
    start.state.history.timeline = identity_.timeline;
    Follower follower{
        {stream,
         context_.store,
         context_.progress,
         context_.nudge,
         joiner,
         verifier,
         [this] { return interrupted(); },
         context_.options.transactions,
         context_.options.wal_keep_max,
         context_.options.silence_max},
        start};
    Result<void> stepped;
    while (stepped.has_value() && !watch.finding().has_value() && !watch.moved()) {
        if (follower.proven()) {
            if (!streaming_.has_value()) {
                spdlog::info("sync: streaming from {}", to_string(state.applied));
                streaming_ = Retry::Clock::now();
            }
            if (!complete_.has_value() && follower.complete()) {
                complete_ = Retry::Clock::now();
            }
            context_.progress.prove(identity_.timeline);
            context_.progress.enter(Phase::streaming, warning());
        }
        stepped = interrupted();
        if (stepped.has_value()) {
            stepped = step(follower, watch);
        }
    }
    if (auto synced = follower.sync(); !synced.has_value()) {
        return synced.error();
    }
    if (!stepped.has_value()) {
        return stepped.error();
    }
    if (watch.moved()) {
        return {Errc::connection, "The upstream has gone on to another timeline."};
    }
    return {Errc::gone, "In the catalogue, " + watch.finding().value_or("something changed") + "."};
}

}  // namespace veer::storage::sync
