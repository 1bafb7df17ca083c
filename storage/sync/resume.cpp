#include "storage/sync/resume.hpp"

#include "storage/source/publication.hpp"
#include "storage/sync/page_ranges.hpp"

#include <algorithm>

namespace veer::storage::sync {

namespace {

std::string named(const Table& table, std::string_view what) {
    return "table " + table.schema + "." + table.name + std::string{what};
}

std::optional<std::string> reason_in_history(
    const store::SyncState& stored, const UpstreamFacts& upstream
) {
    if (upstream.end < stored.applied) {
        return "the upstream's log ends at " + to_string(upstream.end) +
               ", before the copy's position " + to_string(stored.applied) +
               ": it was restored from a backup, or a standby took over that was behind";
    }
    const bool landmark = stored.history.landmark != store::Landmark{};
    if (!landmark && stored.history.timeline != upstream.timeline) {
        return "the upstream is on timeline " + std::to_string(upstream.timeline) +
               ", and the copy was made on timeline " + std::to_string(stored.history.timeline);
    }
    return std::nullopt;
}

/// Where pgvector's index has gone, the graph stays as it was made; what somebody has said of the
/// one that is declared holds when the graph is made the next time.
void keep_parameters(Table& now, const Table& before) {
    for (AnnIndex& index : now.indexes) {
        const auto made =
            std::find_if(before.indexes.begin(), before.indexes.end(), [&](const auto& each) {
                return each.same_order(index);
            });
        const bool stated = index.states_parameters && !index.partial;
        if ((index.name.empty() || index.partial) && !stated && made != before.indexes.end()) {
            index.m = made->m;
            index.ef_construction = made->ef_construction;
        }
    }
}

}  // namespace

const Table* find_table(const std::vector<Table>& tables, TableOid oid) {
    const auto found = std::find_if(tables.begin(), tables.end(), [&](const Table& table) {
        return table.oid == oid;
    });
    return found == tables.end() ? nullptr : &*found;
}

Lsn confirmed_at_most(const store::SyncState& stored) {
    const store::History& history = stored.history;
    return history.landmark == store::Landmark{}
               ? stored.applied
               : std::max(history.landmark.commit_lsn, history.confirmed);
}

std::optional<std::string> reason_to_copy(
    const std::vector<Table>& before, const std::vector<Table>& now
) {
    if (now.empty() && !before.empty()) {
        return named(before.front(), " has no usable vector index any more");
    }
    for (const Table& table : now) {
        const Table* const same = find_table(before, table.oid);
        if (same == nullptr) {
            return named(table, " has a vector index now");
        }
        if (!same->same_rows(table)) {
            return named(table, " has changed");
        }
    }
    return std::nullopt;
}

std::optional<std::string> difference(
    const std::vector<Table>& before, const std::vector<Table>& now
) {
    for (const Table& table : before) {
        const Table* const same = find_table(now, table.oid);
        if (same == nullptr) {
            return named(table, " has no usable vector index any more");
        }
        if (!same->same_shape(table)) {
            return named(table, " has changed");
        }
    }
    for (const Table& table : now) {
        if (find_table(before, table.oid) == nullptr) {
            return named(table, " has a vector index now");
        }
    }
    return std::nullopt;
}

std::optional<std::string> reason_to_start_over(
    const std::optional<store::SyncState>& stored, const UpstreamFacts& upstream
) {
    if (!stored.has_value()) {
        return "there is no copy yet";
    }
    if (stored->phase != store::CopyPhase::streaming) {
        return "the earlier copy was not finished";
    }
    if (stored->system_id != upstream.system_id) {
        return "the upstream is another Postgres cluster than the one that was copied";
    }
    if (stored->database != upstream.database) {
        return "the connection names another database than the one that was copied";
    }
    if (auto rewound = reason_in_history(*stored, upstream)) {
        return rewound;
    }
    if (!upstream.slot.has_value()) {
        return "the replication slot " + stored->slot + " is gone";
    }
    if (!upstream.slot->invalidated.empty()) {
        return "Postgres has invalidated the replication slot " + stored->slot + ": " +
               upstream.slot->invalidated;
    }
    if (!upstream.slot->usable) {
        return "the replication slot " + stored->slot +
               " is not the one that veer made in this database";
    }
    if (const Lsn last = confirmed_at_most(*stored); upstream.slot->confirmed_flush > last) {
        return "the replication slot " + stored->slot + " is ahead of the copy, at " +
               to_string(upstream.slot->confirmed_flush) + " instead of " + to_string(last);
    }
    const auto continues = [&](const Table& table) {
        return source::continues_publication(
            stored->publication_fingerprint, *upstream.publication, table.oid
        );
    };
    if (!upstream.publication.has_value() ||
        (!stored->tables.empty() &&
         std::none_of(stored->tables.begin(), stored->tables.end(), continues))) {
        return "the publication " + stored->publication + " is gone or was changed";
    }
    return std::nullopt;
}

std::optional<std::string> reason_to_wait(
    const std::optional<store::SyncState>& stored, const UpstreamFacts& upstream
) {
    if (!upstream.in_recovery || !stored.has_value() ||
        stored->phase != store::CopyPhase::streaming || stored->system_id != upstream.system_id ||
        stored->database != upstream.database) {
        return std::nullopt;
    }
    const bool synced = upstream.slot.has_value() && upstream.slot->synced;
    const bool of_primary = stored->history.landmark != store::Landmark{};
    if (!synced && !(of_primary && reason_to_start_over(stored, upstream).has_value())) {
        return std::nullopt;
    }
    return "The upstream is a standby, and the copy was made of its primary: veer waits for the "
           "primary, or for the standby's promotion; to copy the standby instead, remove the "
           "store's directory.";
}

Reconciled reconcile(
    const std::vector<Table>& complete,
    const std::string& fingerprint,
    const std::vector<Table>& wanted,
    const source::Publication& publication
) {
    Reconciled reconciled;
    for (const Table& table : complete) {
        const Table* const found = find_table(wanted, table.oid);
        if (found == nullptr) {
            reconciled.left.emplace(
                table.oid, named(table, " has no usable vector index any more")
            );
            continue;
        }
        Table now = as_copied(*found, table);
        if (!table.same_rows(now)) {
            reconciled.left.emplace(table.oid, named(table, " has changed"));
        } else if (!source::continues_publication(fingerprint, publication, table.oid)) {
            reconciled.left.emplace(table.oid, named(table, " was out of the publication"));
        } else {
            keep_parameters(now, table);
            reconciled.kept.push_back(std::move(now));
        }
    }
    return reconciled;
}

std::optional<Table> continued(
    const store::CopyRecord& record,
    const std::vector<Table>& wanted,
    const source::Publication& publication
) {
    const Table* const found = find_table(wanted, record.table.oid);
    const bool unreadable = record.unreadable != Lsn{} && record.unreadable >= record.first;
    if (found == nullptr || unreadable ||
        !source::continues_publication(
            record.publication_fingerprint, publication, record.table.oid
        )) {
        return std::nullopt;
    }
    Table now = as_copied(*found, record.table);
    const bool same = record.table.same_rows(now) &&
                      (is_read(record) || record.table.fingerprint == now.fingerprint);
    return same ? std::optional{std::move(now)} : std::nullopt;
}

bool in_history(
    const store::CopyRecord& record, const store::SyncState& stored, std::uint32_t timeline, Lsn end
) {
    return end >= record.last &&
           (timeline == stored.history.timeline || stored.applied >= record.last);
}

}  // namespace veer::storage::sync
