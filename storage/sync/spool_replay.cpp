#include "storage/sync/spool_replay.hpp"

#include "storage/sync/resolve.hpp"

namespace veer::storage::sync {

Result<std::size_t> replay_spool(
    store::Store& store, Progress& progress, TableOid table, Lsn consistent_point
) {
    auto page = store.read_spool(table);
    if (!page.has_value()) {
        return page.error();
    }
    if (page->changes.empty()) {
        return std::size_t{0};
    }
    Transaction fresh;
    for (std::size_t change = 0; change < page->changes.size(); ++change) {
        if (page->commits[change] >= consistent_point) {
            fresh.changes.push_back(std::move(page->changes[change]));
        }
    }
    auto resolved = resolve_unchanged(std::move(fresh), [&](TableOid oid, const RowKey& key) {
        return store.get(oid, key);
    });
    if (!resolved.has_value()) {
        return resolved.error();
    }
    if (!resolved->lost.empty()) {
        return Error{Errc::gone, "While it was copied, " + resolved->lost.begin()->second + "."};
    }
    const auto& changes = resolved->transaction.changes;
    if (auto used = store.use_spool(table, changes, page->last); !used.has_value()) {
        return used.error();
    }
    progress.catch_up(table, changes);
    return page->changes.size();
}

}  // namespace veer::storage::sync
