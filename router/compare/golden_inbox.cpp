#include "router/compare/golden_inbox.hpp"

#include <algorithm>
#include <utility>

namespace veer::router::compare {

/// Forgets what waits, and says so.
void GoldenInbox::drop() {
    waiting_.lost = noted_;
    waiting_.changes.clear();
    bytes_ = 0;
}

void GoldenInbox::watch(std::set<storage::TableOid> tables) {
    const std::lock_guard lock(mutex_);
    if (!std::includes(tables_.begin(), tables_.end(), tables.begin(), tables.end())) {
        drop();
    }
    tables_ = std::move(tables);
}

void GoldenInbox::note(const storage::Transaction& transaction) {
    const std::lock_guard lock(mutex_);
    noted_ = std::max(noted_, transaction.end_lsn);
    for (const storage::Change& change : transaction.changes) {
        const auto watched = [this](storage::TableOid table) {
            return tables_.contains(table);
        };
        const auto* const upsert = std::get_if<storage::Upsert>(&change);
        const auto* const erased = std::get_if<storage::Delete>(&change);
        const auto* const truncated = std::get_if<storage::Truncate>(&change);
        const bool wanted =
            (upsert != nullptr && watched(upsert->table)) ||
            (erased != nullptr && watched(erased->table)) ||
            (truncated != nullptr &&
             std::any_of(truncated->tables.begin(), truncated->tables.end(), watched));
        if (!wanted) {
            continue;
        }
        storage::Change kept = change;
        if (auto* const row = std::get_if<storage::Upsert>(&kept)) {
            if (GoldenSet::bytes_of_values(row->row) > values_bytes_max) {
                row->row.values.clear();  // then nobody can tell whether it passes a WHERE
            }
        }
        bytes_ += GoldenSet::bytes_of(kept);
        if (waiting_.changes.size() >= changes_max || bytes_ > bytes_max) {
            drop();
            continue;
        }
        waiting_.changes.push_back({.lsn = transaction.end_lsn, .what = std::move(kept)});
    }
}

void GoldenInbox::lose(storage::Lsn upto) {
    const std::lock_guard lock(mutex_);
    noted_ = std::max(noted_, upto);
    drop();
}

GoldenInbox::Taken GoldenInbox::take() {
    const std::lock_guard lock(mutex_);
    bytes_ = 0;
    return std::exchange(waiting_, {});
}

}  // namespace veer::router::compare
