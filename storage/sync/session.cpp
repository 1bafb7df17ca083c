#include "storage/sync/session.hpp"

#include "storage/source/preflight.hpp"
#include "storage/source/publication.hpp"
#include "storage/source/slot.hpp"
#include "storage/sync/large_commit.hpp"
#include "storage/sync/resume.hpp"

#include <spdlog/spdlog.h>

namespace veer::storage::sync {

Session::Session(Context context) : context_{context}, name_{"veer_" + context.store.instance()} {
    context_.guard.watch(name_);
}

/// Fails where going on would be for nothing.
Result<void> Session::interrupted() const {
    if (context_.wake.woken()) {
        return Error{Errc::connection, "veer is stopping."};
    }
    if (context_.guard.dropped()) {
        return Error{Errc::gone, "Veer dropped its replication slot."};
    }
    return {};
}

source::ConnectOptions Session::connect_options(bool replication) const {
    return {context_.options.dsn, name_, replication, &context_.wake};
}

Result<void> Session::open_replication() {
    replication_.reset();
    auto opened = source::Connection::open(connect_options(true));
    if (!opened.has_value()) {
        return opened.error();
    }
    replication_.emplace(std::move(*opened));
    auto identity = source::identify_system(*replication_);
    if (!identity.has_value()) {
        return identity.error();
    }
    identity_ = *identity;
    return {};
}

Retry::Life Session::life() const {
    const Retry::Clock::time_point now = Retry::Clock::now();
    const auto since = [&](const std::optional<Retry::Clock::time_point>& start) {
        return start.has_value() ? std::chrono::ceil<std::chrono::milliseconds>(now - *start)
                                 : std::chrono::milliseconds{0};
    };
    Retry::Life life;
    life.streamed = since(streaming_);
    life.complete = since(complete_);
    life.copying = since(begun_) - life.complete;
    return life;
}

Error Session::run(const std::optional<std::string>& start_over) {
    const auto going_on = [this] {
        context_.progress.enter(Phase::loading, "A large transaction is being applied.");
        return interrupted();
    };
    if (start_over.has_value()) {
        context_.store.clear_spills();
    } else if (auto finished =
                   finish_commit(context_.store, context_.options.wal_keep_max, going_on);
               !finished.has_value()) {
        return finished.error();
    }
    if (auto prepared = prepare(start_over); !prepared.has_value()) {
        return prepared.error();
    }
    return stream();
}

Result<void> Session::prepare(const std::optional<std::string>& start_over) {
    auto connection = source::Connection::open(connect_options(false));
    if (!connection.has_value()) {
        return connection.error();
    }
    catalogue_connection_.emplace(std::move(*connection));
    if (auto fit = source::preflight(*catalogue_connection_); !fit.has_value()) {
        return fit;
    }
    auto catalogue = source::discover(*catalogue_connection_, context_.options.columns);
    if (!catalogue.has_value()) {
        return catalogue.error();
    }
    auto left = source::leave_publication(*catalogue_connection_, name_, catalogue->tables);
    log_refusals(*catalogue, left.has_value() ? "" : left.error().message);
    auto stored = context_.store.state();
    if (!stored.has_value()) {
        return stored.error();
    }
    if (catalogue->tables.empty()) {
        return wait_for_index(*stored, *catalogue);
    }
    if (auto opened = open_replication(); !opened.has_value()) {
        return opened;
    }
    if (identity_.system_id != catalogue->system_id) {
        return Error{Errc::connection, "The upstream's servers are of different clusters."};
    }
    partitions_ = catalogue->partitions;
    auto why = judge_stored(*stored, *catalogue);
    if (!why.has_value()) {
        return why.error();
    }
    if (start_over.has_value() || why->has_value()) {
        return this->start_over(*catalogue, start_over.value_or(why->value_or("")));
    }
    spdlog::info("sync: resuming at {} from the copy in the store", to_string((*stored)->applied));
    return resume(**stored, *catalogue);
}

/// Goes on with the complete tables that are still what they were; the others are to join.
Result<void> Session::resume(store::SyncState stored, const source::Catalogue& catalogue) {
    auto publication = source::read_publication(*catalogue_connection_, stored.publication);
    if (!publication.has_value()) {
        return publication.error();
    }
    const source::Publication published = publication->value_or(source::Publication{});
    Reconciled reconciled =
        reconcile(stored.tables, stored.publication_fingerprint, catalogue.tables, published);
    for (const auto& [table, why] : reconciled.left) {
        spdlog::info("sync: going on, though {}", why);
    }
    if (difference(stored.tables, reconciled.kept).has_value()) {
        stored.publication_fingerprint = source::fingerprint(published, reconciled.kept);
        if (auto redefined =
                context_.store.redefine(reconciled.kept, stored.publication_fingerprint);
            !redefined.has_value()) {
            return redefined;
        }
        stored.tables = std::move(reconciled.kept);
    }
    auto record = context_.store.copy();
    if (!record.has_value()) {
        return record.error();
    }
    if (record->has_value() && in_history(**record, stored, identity_.timeline, identity_.end)) {
        joining_ = continued(**record, catalogue.tables, published);
    }
    const std::optional<TableOid> kept =
        joining_.has_value() ? std::optional{joining_->oid} : std::nullopt;
    if (auto cleared = context_.store.forget_others(stored.tables, kept); !cleared.has_value()) {
        return cleared;
    }
    auto loaded = load(stored);
    if (loaded.has_value()) {
        context_.progress.expect(catalogue.tables, refusals(catalogue));
    }
    return loaded;
}

Result<std::optional<std::string>> Session::judge_stored(
    const std::optional<store::SyncState>& stored, const source::Catalogue& catalogue
) {
    UpstreamFacts upstream{
        catalogue.system_id, catalogue.database, {}, {}, identity_.timeline, identity_.end};
    if (stored.has_value() && !stored->slot.empty()) {
        auto slot = source::read_slot(*catalogue_connection_, stored->slot);
        if (!slot.has_value()) {
            return slot.error();
        }
        auto publication = source::read_publication(*catalogue_connection_, stored->publication);
        if (!publication.has_value()) {
            return publication.error();
        }
        upstream.slot = *slot;
        upstream.publication = *publication;
    }
    auto writable = can_write();
    if (!writable.has_value()) {
        return writable.error();
    }
    upstream.in_recovery = !*writable || replication_->in_recovery();
    if (const auto why = reason_to_wait(stored, upstream)) {
        return Error{Errc::connection, *why};
    }
    return reason_to_start_over(stored, upstream);
}

/// Without a table there is nothing to follow: an idle slot would only hold WAL back.
Result<void> Session::wait_for_index(
    const std::optional<store::SyncState>& stored, const source::Catalogue& catalogue
) {
    if (stored.has_value() && !stored->slot.empty()) {
        auto dropped = source::drop_slot(*catalogue_connection_, stored->slot, name_);
        if (dropped.has_value()) {
            dropped = source::drop_publication(*catalogue_connection_, stored->publication);
        }
        if (dropped.has_error() && dropped.error().code == Errc::not_permitted) {
            dropped = {};  // somebody else made the publication, and alone it costs nothing
        }
        store::SyncState nothing;
        nothing.system_id = catalogue.system_id;
        nothing.database = catalogue.database;
        auto reset = dropped.has_value() ? context_.store.reset(nothing) : dropped;
        if (!reset.has_value()) {
            return reset;
        }
    }
    if (!context_.progress.begun_empty()) {
        context_.progress.begin(catalogue.database, {});
    }
    std::string reason = "The database " + catalogue.database +
                         " has no table with an hnsw or ivfflat index that veer can copy.";
    for (const source::Refusal& refusal : catalogue.refused) {
        reason +=
            " " + refusal.name + ": " + refusal.reason + (refusal.reason.ends_with(';') ? "" : ".");
    }
    return Error{Errc::not_permitted, reason};
}

/// What is to be known while all is well otherwise.
std::string Session::warning() const {
    const std::string guard = context_.guard.warning();
    return guard.empty() || columns_left_out_.empty() ? guard + columns_left_out_
                                                      : guard + " " + columns_left_out_;
}

/// What does not work out, once; `publication` is what is wrong with that, or nothing.
void Session::log_refusals(const source::Catalogue& catalogue, const std::string& publication) {
    std::string all = publication + "\n";
    columns_left_out_.clear();
    for (const source::Refusal& refusal : catalogue.refused) {
        all += refusal.name + ": " + refusal.reason + "\n";
    }
    for (const source::Refusal& refusal : catalogue.refused_columns) {
        all += refusal.name + ": " + refusal.reason + "\n";
        columns_left_out_ += (columns_left_out_.empty() ? "Not copied: " : " Not copied: ") +
                             refusal.name + ": " + refusal.reason +
                             (refusal.reason.ends_with(';') ? "" : ".");
    }
    if (all == context_.last_refusals) {
        return;
    }
    context_.last_refusals = all;
    for (const auto* const list : {&catalogue.refused, &catalogue.refused_columns}) {
        for (const source::Refusal& refusal : *list) {
            spdlog::warn("sync: left to Postgres: {}: {}", refusal.name, refusal.reason);
        }
    }
    if (!publication.empty()) {
        spdlog::warn("sync: {}", publication);
    }
}

}  // namespace veer::storage::sync
