#include "storage/sync/snapshot_merge.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace veer::storage::sync {

namespace {

constexpr std::size_t keys_at_once = 500;

/// One page's rows: nothing where a row has gone.
using PageRows = std::map<RowKey, std::optional<Row>>;

Result<std::optional<Row>> row_at(
    TableOid table, const RowKey& key, const PageRows& rows, const RowLookup& lookup
) {
    const auto found = rows.find(key);
    return found == rows.end() ? lookup(table, key) : Result<std::optional<Row>>{found->second};
}

/// False where the rows are not of the same columns.
bool fill(Row& row, const Row& before) {
    if (row.vectors.size() != before.vectors.size() || row.values.size() != before.values.size()) {
        return false;
    }
    for (std::size_t vector = 0; vector < row.vectors.size(); ++vector) {
        if (std::holds_alternative<UnchangedVector>(row.vectors[vector])) {
            row.vectors[vector] = before.vectors[vector];
        }
    }
    for (std::size_t value = 0; value < row.values.size(); ++value) {
        if (std::holds_alternative<UnchangedValue>(row.values[value])) {
            row.values[value] = before.values[value];
        }
    }
    return true;
}

Result<void> fetch_unknown(
    store::Store& store,
    TableOid table,
    const std::set<RowKey>& unknown,
    const SnapshotMerge::Fetch& fetch
) {
    for (auto key = unknown.begin(); key != unknown.end();) {
        std::vector<RowKey> keys;
        std::vector<Change> changes;
        for (; key != unknown.end() && keys.size() < keys_at_once; ++key) {
            keys.push_back(*key);
            changes.emplace_back(Delete{table, *key});
        }
        auto rows = fetch(keys);
        if (!rows.has_value()) {
            return rows.error();
        }
        for (Row& row : *rows) {
            changes.emplace_back(Upsert{table, std::nullopt, std::move(row)});
        }
        if (auto written = store.change_rows(changes); !written.has_value()) {
            return written;
        }
    }
    return {};
}

}  // namespace

Result<std::vector<Change>> SnapshotMerge::take(
    std::span<const Change> page, const RowLookup& lookup
) {
    PageRows rows;
    std::vector<Change> changes;
    for (const Change& change : page) {
        if (const auto* const removed = std::get_if<Delete>(&change)) {
            rows[removed->key] = std::nullopt;
            changes.push_back(change);
            continue;
        }
        const auto* const upsert = std::get_if<Upsert>(&change);
        if (upsert == nullptr) {
            return Error{Errc::gone, "The table was emptied while it was copied."};
        }
        if (upsert->old_key.has_value()) {
            rows[*upsert->old_key] = std::nullopt;
            changes.emplace_back(Delete{table_, *upsert->old_key});
        }
        Row row = upsert->row;
        if (has_unchanged(change)) {
            auto before = row_at(table_, row.key, rows, lookup);
            if (!before.has_value()) {
                return before.error();
            }
            if (upsert->old_key.has_value() || unknown_.contains(row.key) || !before->has_value()) {
                unknown_.insert(row.key);
                continue;
            }
            if (!fill(row, **before)) {
                return Error{Errc::gone, "A stored row has another number of columns."};
            }
        }
        rows[row.key] = row;
        changes.emplace_back(Upsert{table_, std::nullopt, std::move(row)});
    }
    if (unknown_.size() > keys_max) {
        return Error{Errc::gone, "Too much was changed while veer was away from the copy."};
    }
    return changes;
}

Result<void> merge_snapshots(
    store::Store& store,
    store::CopyRecord& record,
    const SnapshotMerge::Fetch& fetch,
    const std::function<Result<void>()>& interrupted
) {
    const TableOid table = record.table.oid;
    SnapshotMerge merge{table};
    store::SpoolWindow window{{record.first, 0}, record.last};
    for (;;) {
        if (auto ended = interrupted(); !ended.has_value()) {
            return ended;
        }
        auto page = store.read_spool(table, window);
        if (!page.has_value()) {
            return page.error();
        }
        if (page->changes.empty()) {
            break;
        }
        auto changes = merge.take(page->changes, [&](TableOid oid, const RowKey& key) {
            return store.get(oid, key);
        });
        auto written =
            changes.has_value() ? store.change_rows(*changes) : Result<void>{changes.error()};
        if (!written.has_value()) {
            return written;
        }
        window.from = {page->last.commit_lsn, page->last.place + 1};
    }
    auto fetched = fetch_unknown(store, table, merge.unknown(), fetch);
    if (!fetched.has_value()) {
        return fetched;
    }
    record.first = record.last;
    return store.save_copy(record);
}

}  // namespace veer::storage::sync
