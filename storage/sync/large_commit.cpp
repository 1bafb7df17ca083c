#include "storage/sync/large_commit.hpp"

#include "storage/sync/resolve.hpp"
#include "storage/sync/resume.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace veer::storage::sync {

LargeCommit::LargeCommit(store::Store& store, store::CommitRecord record, std::uint64_t spool_max)
    : store_{store},
      record_{std::move(record)},
      reader_{store.read_spill(record_.xid, record_.next)},
      spool_max_{spool_max} {}

bool LargeCommit::counts(const store::SpilledChange& change) const {
    const auto left = record_.left.find(change.table);
    return (left == record_.left.end() || change.place >= left->second) &&
           !std::binary_search(record_.aborted.begin(), record_.aborted.end(), change.subxid);
}

Result<std::optional<LargeCommit::Part>> LargeCommit::next(const std::vector<Table>& complete) {
    auto page = reader_.next();
    if (page.has_value() && page->empty() && record_.next < record_.count) {
        page = Error{Errc::gone, "Changes of a transaction that was being applied are missing."};
    }
    if (!page.has_value()) {
        return page.error();
    }
    if (page->empty()) {
        return std::optional<Part>{};
    }
    Part part;
    part.first = page->front().place;
    part.next = page->back().place + 1;
    record_.next = part.next;
    Transaction fresh;
    for (store::SpilledChange& change : *page) {
        if (!counts(change)) {
            continue;
        }
        if (change.table == record_.joining) {
            if (!spool_full_) {
                part.spooled.push_back(std::move(change.change));
            }
        } else if (find_table(complete, change.table) != nullptr) {
            fresh.changes.push_back(std::move(change.change));
        }
    }
    auto resolved = resolve_unchanged(std::move(fresh), [&](TableOid oid, const RowKey& key) {
        return store_.get(oid, key);
    });
    if (!resolved.has_value()) {
        return resolved.error();
    }
    part.changes = std::move(resolved->transaction.changes);
    part.lost = std::move(resolved->lost);
    return std::optional{std::move(part)};
}

Result<void> LargeCommit::write(const Part& part) {
    const store::Spool spool{
        record_.joining.value_or(TableOid{}), record_.commit_lsn, part.spooled, part.first};
    auto written = store_.write_part(part.changes, part.next, spool);
    written = written.has_value() ? bound_spool() : written;
    if (!written.has_value() || !reader_.has_passed_files()) {
        return written;
    }
    if (auto durable = store_.sync(); !durable.has_value()) {
        return durable.error();
    }
    reader_.remove_passed_files();
    return {};
}

/// Before the next part, so that no life takes a spool with a gap for a whole one. One that has
/// died in between notes it after a part more.
Result<void> LargeCommit::bound_spool() {
    if (spool_full_ || spool_max_ == 0 || !record_.joining.has_value() ||
        store_.spooled() <= spool_max_) {
        return {};
    }
    spool_full_ = true;
    return store_.note_unreadable(record_.commit_lsn);
}

namespace {

Result<void> leave(store::Store& store, store::SyncState& state, const TableFailures& lost) {
    if (lost.empty()) {
        return {};
    }
    std::erase_if(state.tables, [&](const Table& table) { return lost.contains(table.oid); });
    for (const auto& [table, why] : lost) {
        spdlog::warn("sync: a table is to be copied again: {}", why);
    }
    return store.redefine(state.tables, state.publication_fingerprint);
}

}  // namespace

Result<void> finish_commit(
    store::Store& store, std::uint64_t spool_max, const std::function<Result<void>()>& going_on
) {
    auto record = store.commit_under_way();
    if (!record.has_value()) {
        return record.error();
    }
    if (!record->has_value()) {
        store.clear_spills();
        return {};
    }
    auto state = store.state();
    if (!state.has_value()) {
        return state.error();
    }
    if (!state->has_value()) {
        return Error{Errc::gone, "A transaction was being applied to a copy that is not there."};
    }
    spdlog::info("sync: going on with the transaction at {}", to_string((*record)->commit_lsn));
    LargeCommit commit{store, **record, spool_max};
    while (true) {
        if (auto interrupted = going_on(); !interrupted.has_value()) {
            return interrupted;
        }
        auto part = commit.next((*state)->tables);
        if (!part.has_value()) {
            return part.error();
        }
        if (!part->has_value()) {
            break;
        }
        auto done = leave(store, **state, (*part)->lost);
        done = done.has_value() ? commit.write(**part) : done;
        if (!done.has_value()) {
            return done;
        }
    }
    auto ended = store.end_commit((*record)->end_lsn, (*record)->history);
    auto durable = ended.has_value() ? store.sync() : ended.error();
    if (!durable.has_value()) {
        return durable.error();
    }
    store.clear_spills();
    return {};
}

}  // namespace veer::storage::sync
