#include "storage/sync/follower.hpp"
#include "storage/sync/large_commit.hpp"
#include "storage/sync/resolve.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

/// What becomes of a transaction that has committed.
namespace veer::storage::sync {

/// As of behind the transaction. Not before it is written: the slot would be moved to it. One that
/// need not come again is no landmark.
store::History Follower::history_after(const Transaction& transaction) const {
    store::History after = history_;
    if (landmarks_ && assembler_.told()) {
        after.landmark = {transaction.commit_lsn, transaction.timestamp, transaction.xid};
    }
    return after;
}

Result<void> Follower::apply(Transaction transaction) {
    const std::optional<Spilled> spilled = assembler_.take_spilled();
    if (auto passed = check_.passed(transaction.end_lsn); !passed.has_value()) {
        return passed;
    }
    if (transaction.end_lsn <= context_.progress.position()) {
        return {};  // sent again, though already applied
    }
    if (spilled.has_value()) {
        return apply_large(transaction, *spilled);
    }
    const Transaction spooled = split_joining(transaction);
    auto resolved =
        resolve_unchanged(std::move(transaction), [this](TableOid table, const RowKey& key) {
            return context_.store.get(table, key);
        });
    if (!resolved.has_value()) {
        return resolved.error();
    }
    TableFailures failures = assembler_.failures();
    failures.merge(resolved->lost);
    const std::set<TableOid> outgrown = assembler_.outgrown();
    if (auto settled = settle(resolved->transaction.commit_lsn, std::move(failures), outgrown);
        !settled.has_value()) {
        return settled;
    }
    return write(resolved->transaction, spooled);
}

Result<void> Follower::write(const Transaction& transaction, const Transaction& spooled) {
    const store::History history = history_after(transaction);
    if (transaction.changes.empty() && spooled.changes.empty()) {
        history_ = history;
        context_.progress.applied(transaction.end_lsn);
        return {};
    }
    context_.verifier.note(transaction);
    store::Spool spool;
    if (joining_.has_value()) {
        spool = {joining_->table.oid, transaction.commit_lsn, spooled.changes};
    }
    auto written = context_.store.write(transaction.changes, transaction.end_lsn, history, spool);
    if (written.has_value()) {
        history_ = history;
        stored_ = transaction.end_lsn;
        stored_history_ = history;
        context_.progress.apply(transaction);
    }
    return written;
}

/// Takes the changes of the joining table out.
Transaction Follower::split_joining(Transaction& transaction) const {
    Transaction spooled;
    if (!joining_.has_value()) {
        return spooled;
    }
    const TableOid oid = joining_->table.oid;
    for (const Change& change : transaction.changes) {
        const auto* const upsert = std::get_if<Upsert>(&change);
        const auto* const removed = std::get_if<Delete>(&change);
        const auto* const truncate = std::get_if<Truncate>(&change);
        if (truncate != nullptr &&
            std::find(truncate->tables.begin(), truncate->tables.end(), oid) !=
                truncate->tables.end()) {
            spooled.changes.emplace_back(Truncate{{oid}});
        } else if ((upsert != nullptr && upsert->table == oid) || (removed != nullptr && removed->table == oid)) {
            spooled.changes.push_back(change);
        }
    }
    if (!spooled.changes.empty()) {
        remove_changes(transaction, {{oid, ""}});
    }
    return spooled;
}

/// Once it is begun, it is applied to its end, by this life or the next.
Result<void> Follower::apply_large(const Transaction& transaction, const Spilled& spilled) {
    const std::set<TableOid> outgrown = assembler_.outgrown();
    TableFailures failures = assembler_.failures();
    auto sealed = spilled.changes->seal();
    const bool full = !sealed.has_value() && sealed.error().code == Errc::disk;
    if (full) {
        for (const TableOid table : spilled.touched) {
            failures.emplace(
                table, "a large transaction found no room on disk: " + sealed.error().message
            );
        }
    }
    if (auto settled = settle(transaction.commit_lsn, std::move(failures), outgrown);
        !settled.has_value() || full) {
        return settled.has_value() ? write(transaction, {}) : settled;
    }
    store::CommitRecord record;
    record.xid = transaction.xid;
    record.commit_lsn = transaction.commit_lsn;
    record.end_lsn = transaction.end_lsn;
    record.history = history_after(transaction);
    record.aborted = spilled.aborted;
    record.left = spilled.left;
    record.count = spilled.changes->count();
    if (joining_.has_value()) {
        record.joining = joining_->table.oid;
    }
    auto begun = sealed.has_value() ? context_.store.begin_commit(record) : sealed;
    spdlog::info(
        "sync: a transaction of {} changes, {} MB, is being applied",
        record.count,
        spilled.changes->bytes() >> 20U
    );
    auto written = begun.has_value() ? write_parts(record) : begun;
    auto ended =
        written.has_value() ? context_.store.end_commit(record.end_lsn, record.history) : written;
    if (!ended.has_value()) {
        return ended;
    }
    history_ = record.history;
    stored_history_ = history_;
    stored_ = record.end_lsn;
    if (auto durable = sync(); !durable.has_value()) {  // what it was made from goes now
        return durable;
    }
    context_.store.remove_spill(record.xid);
    context_.progress.apply(transaction);
    if (landmarks_) {  // so that it need not come again with the next connection
        context_.nudge.request();
    }
    spdlog::info(
        "sync: its {} changes were applied up to {}", record.count, to_string(record.end_lsn)
    );
    return {};
}

/// The server hears of us meanwhile; whether that reaches it, the next look at the stream says.
Result<void> Follower::write_parts(const store::CommitRecord& record) {
    LargeCommit commit{context_.store, record, context_.spool_max};
    while (true) {
        auto part = commit.next(tables_);
        if (!part.has_value()) {
            return part.error();
        }
        if (!part->has_value()) {
            return {};
        }
        if (auto settled = settle(record.commit_lsn, (*part)->lost); !settled.has_value()) {
            return settled;
        }
        context_.verifier.note({record.commit_lsn, record.end_lsn, (*part)->changes, record.xid});
        if (auto written = commit.write(**part); !written.has_value()) {
            return written;
        }
        if (commit.spool_full() && joining_.has_value()) {
            joining_->unreadable_at = record.commit_lsn;
            joining_->unreadable = spool_full;
        }
        context_.progress.part((*part)->changes);
        if (auto going_on = context_.interrupted(); !going_on.has_value()) {
            return going_on;
        }
        if (Clock::now() >= status_due_) {
            status_due_ = Clock::now() + status_every;
            static_cast<void>(context_.stream.confirm(context_.progress.position(), confirmed_));
        }
    }
}

}  // namespace veer::storage::sync
