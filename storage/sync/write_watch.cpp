#include "storage/sync/write_watch.hpp"

#include <algorithm>

namespace veer::storage::sync {

namespace {

bool concerns(const Change& change, TableOid table) {
    if (const auto* const upsert = std::get_if<Upsert>(&change)) {
        return upsert->table == table;
    }
    if (const auto* const removed = std::get_if<Delete>(&change)) {
        return removed->table == table;
    }
    const auto& tables = std::get<Truncate>(change).tables;
    return std::find(tables.begin(), tables.end(), table) != tables.end();
}

}  // namespace

void WriteWatch::begin(TableOid table) {
    end();
    const std::scoped_lock lock{mutex_};
    table_ = table;
    viewing_ = true;
}

void WriteWatch::end() {
    std::deque<Moment> dying;  // outside the lock
    const std::scoped_lock lock{mutex_};
    std::swap(moments_, dying);
    table_.reset();
    viewing_ = false;
    touched_.clear();
    all_touched_ = {};
}

void WriteWatch::note_key(const RowKey& key, Lsn commit_lsn) {
    if (touched_.size() < keys_max) {
        touched_[key] = commit_lsn;
    } else {
        all_touched_ = commit_lsn;
    }
}

void WriteWatch::note(const Transaction& transaction) {
    const std::scoped_lock lock{mutex_};
    if (!table_.has_value()) {
        return;
    }
    bool changed = false;
    for (const Change& change : transaction.changes) {
        if (!concerns(change, *table_)) {
            continue;
        }
        changed = true;
        if (const auto* const upsert = std::get_if<Upsert>(&change)) {
            note_key(upsert->row.key, transaction.commit_lsn);
            if (upsert->old_key.has_value()) {
                note_key(*upsert->old_key, transaction.commit_lsn);
            }
        } else if (const auto* const removed = std::get_if<Delete>(&change)) {
            note_key(removed->key, transaction.commit_lsn);
        } else {
            all_touched_ = transaction.commit_lsn;
        }
    }
    if (changed && viewing_ && moments_.size() <= views_max) {
        moments_.push_back({transaction.commit_lsn, view_()});
    }
}

Result<WriteWatch::ViewPtr> WriteWatch::view_at(Lsn point) {
    // Before the lock: what it has is noted (1), and what is not noted it has not.
    ViewPtr now = view_();
    std::deque<Moment> dying;
    const std::scoped_lock lock{mutex_};
    viewing_ = false;
    std::swap(moments_, dying);
    if (dying.size() > views_max) {
        return Error{
            Errc::connection,
            "Too many transactions changed the table before its comparison could begin."};
    }
    const auto first = std::find_if(dying.begin(), dying.end(), [&](const Moment& moment) {
        return moment.commit_lsn >= point;
    });
    return first == dying.end() ? std::move(now) : first->before;
}

bool WriteWatch::touched(const RowKey& key, Lsn point) const {
    const std::scoped_lock lock{mutex_};
    const auto found = touched_.find(key);
    return all_touched_ >= point || (found != touched_.end() && found->second >= point);
}

}  // namespace veer::storage::sync
