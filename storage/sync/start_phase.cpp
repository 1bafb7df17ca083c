#include "storage/source/publication.hpp"
#include "storage/source/slot.hpp"
#include "storage/sync/session.hpp"
#include "storage/sync/table_load.hpp"

#include <spdlog/spdlog.h>

namespace veer::storage::sync {

/// Forgets everything, and begins a stream without a table; all of them join it.
Result<void> Session::start_over(const source::Catalogue& catalogue, const std::string& why) {
    spdlog::info("sync: copying {} tables: {}", catalogue.tables.size(), why);
    auto before = context_.store.state();
    if (!before.has_value()) {
        return before.error();
    }
    const bool first = !before->has_value() || (*before)->slot.empty();
    source::Connection& connection = *catalogue_connection_;
    store::SyncState state;
    state.system_id = catalogue.system_id;
    state.database = catalogue.database;
    state.slot = name_;
    state.publication = name_;
    state.history.timeline = identity_.timeline;
    // Old progress is forgotten before anything of the new copy is made: a crash must not pair the
    // two.
    if (auto reset = context_.store.reset(state); !reset.has_value()) {
        return reset;
    }
    context_.progress.begin(catalogue.database, {});
    context_.progress.expect(catalogue.tables, refusals(catalogue));
    context_.progress.enter(Phase::copying, first ? "" : "Copying again: " + why);
    if (auto dropped = source::drop_slot(connection, name_, name_); !dropped.has_value()) {
        return dropped;
    }
    const auto idle = source::idle_veer_slots(connection, name_);
    if (idle.has_value() && !idle->empty()) {
        spdlog::warn(
            "sync: idle replication slots hold WAL back: {}; if no other veer needs them, "
            "drop them with pg_drop_replication_slot()",
            *idle
        );
    }
    // Before the slot: WAL from before the publication existed cannot be decoded.
    auto published = source::ensure_publication(connection, name_, catalogue.tables);
    if (!published.has_value()) {
        return published;
    }
    auto failover = source::can_follow_failover(connection);
    auto slot = failover.has_value() ? source::create_slot(*replication_, name_, *failover)
                                     : failover.error();
    if (!slot.has_value()) {
        return slot.error();
    }
    if (auto finished = context_.store.finish_copy(*slot); !finished.has_value()) {
        return finished;
    }
    context_.progress.ready(*slot);
    return {};
}

Result<void> Session::load(const store::SyncState& state) {
    if (context_.progress.ready_for(state.tables, state.applied)) {
        context_.progress.redefine(state.tables);
        return {};
    }
    context_.progress.begin(state.database, state.tables);
    context_.progress.enter(Phase::loading, "");
    const auto view = context_.store.view();
    for (const Table& table : state.tables) {
        auto loaded = load_table(*view, table, context_.progress, [this] { return interrupted(); });
        if (!loaded.has_value()) {
            return loaded;
        }
    }
    context_.progress.ready(state.applied);
    return {};
}

}  // namespace veer::storage::sync
