#include "storage/sync/resume.hpp"

#include <algorithm>

namespace veer::storage::sync {

namespace {

const Table* find(const std::vector<Table>& tables, TableOid oid) {
    const auto found = std::find_if(tables.begin(), tables.end(), [&](const Table& table) {
        return table.oid == oid;
    });
    return found == tables.end() ? nullptr : &*found;
}

std::string named(const Table& table, std::string_view what) {
    return "table " + table.schema + "." + table.name + std::string{what};
}

}  // namespace

std::optional<std::string> difference(
    const std::vector<Table>& before, const std::vector<Table>& now
) {
    for (const Table& table : before) {
        const Table* const same = find(now, table.oid);
        if (same == nullptr) {
            return named(table, " has no usable vector index any more");
        }
        if (!same->same_shape(table)) {
            return named(table, " has changed");
        }
    }
    for (const Table& table : now) {
        if (find(before, table.oid) == nullptr) {
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
    if (auto different = difference(stored->tables, upstream.tables)) {
        return different;
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
    if (upstream.slot->confirmed_flush > stored->applied) {
        return "the replication slot " + stored->slot + " is ahead of the copy, at " +
               to_string(upstream.slot->confirmed_flush) + " instead of " +
               to_string(stored->applied);
    }
    if (upstream.publication_fingerprint != stored->publication_fingerprint) {
        return "the publication " + stored->publication + " is gone or was changed";
    }
    return std::nullopt;
}

}  // namespace veer::storage::sync
