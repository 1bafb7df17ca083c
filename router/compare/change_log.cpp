#include "router/compare/change_log.hpp"

#include <algorithm>
#include <charconv>
#include <variant>

namespace veer::router::compare {

namespace {

/// Takes a number and the separator after it, where there is one.
bool take_number(std::string_view& text, char separator, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.empty() && text.front() == separator) {
        text.remove_prefix(1);
        return true;
    }
    return text.empty();
}

/// Numbers go round after 2^32: the nearer way says who is older (manual 25.1.5).
bool precedes(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) < 0;
}

}  // namespace

std::optional<PgSnapshot> PgSnapshot::parse(std::string_view text) {
    PgSnapshot snapshot;
    std::uint64_t xmin = 0;
    std::uint64_t xmax = 0;
    if (std::count(text.begin(), text.end(), ':') != 2 || !take_number(text, ':', xmin) ||
        !take_number(text, ':', xmax)) {
        return std::nullopt;
    }
    snapshot.xmin_ = static_cast<std::uint32_t>(xmin);
    snapshot.xmax_ = static_cast<std::uint32_t>(xmax);
    while (!text.empty()) {
        std::uint64_t running = 0;
        if (!take_number(text, ',', running)) {
            return std::nullopt;
        }
        snapshot.running_.push_back(static_cast<std::uint32_t>(running));
    }
    return snapshot;
}

bool PgSnapshot::sees(std::uint32_t xid) const {
    if (precedes(xid, xmin_)) {
        return true;
    }
    return precedes(xid, xmax_) &&
           std::find(running_.begin(), running_.end(), xid) == running_.end();
}

void ChangeLog::keep(bool on, std::int64_t now_ns) {
    const std::lock_guard lock(mutex_);
    if (on == on_) {
        return;
    }
    on_ = on;
    entries_.clear();
    bytes_ = 0;
    known_from_ = noted_;
    known_since_ns_ = now_ns;
}

void ChangeLog::add(Entry entry) {
    bytes_ += sizeof(Entry) + entry.key.size();
    entries_.push_back(std::move(entry));
    while (entries_.size() > entries_max || bytes_ > bytes_max) {
        bytes_ -= sizeof(Entry) + entries_.front().key.size();
        known_from_ = std::max(known_from_, entries_.front().lsn);
        known_since_ns_ = std::max(known_since_ns_, entries_.front().noted_ns);
        entries_.pop_front();
    }
}

void ChangeLog::note(const storage::Transaction& transaction, std::int64_t now_ns) {
    const std::lock_guard lock(mutex_);
    noted_ = std::max(noted_, transaction.end_lsn);
    if (!on_) {
        known_from_ = noted_;
        known_since_ns_ = now_ns;
        return;
    }
    for (const storage::Change& change : transaction.changes) {
        Entry entry{
            .lsn = transaction.end_lsn,
            .xid = transaction.xid,
            .table = {},
            .key = {},
            .noted_ns = now_ns};
        if (const auto* const upsert = std::get_if<storage::Upsert>(&change)) {
            entry.table = upsert->table;
            if (upsert->old_key) {
                Entry old = entry;
                old.key = *upsert->old_key;
                add(std::move(old));
            }
            entry.key = upsert->row.key;
            add(std::move(entry));
        } else if (const auto* const erased = std::get_if<storage::Delete>(&change)) {
            entry.table = erased->table;
            entry.key = erased->key;
            add(std::move(entry));
        } else if (const auto* const truncated = std::get_if<storage::Truncate>(&change)) {
            entry.all = true;
            for (const storage::TableOid table : truncated->tables) {
                entry.table = table;
                add(entry);
            }
        }
    }
}

void ChangeLog::note_position(storage::Lsn lsn, std::int64_t now_ns) {
    const std::lock_guard lock(mutex_);
    noted_ = std::max(noted_, lsn);
    known_from_ = on_ ? known_from_ : noted_;
    known_since_ns_ = on_ ? known_since_ns_ : now_ns;
}

void ChangeLog::restart(storage::Lsn lsn, std::int64_t now_ns) {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    bytes_ = 0;
    noted_ = known_from_ = lsn;
    known_since_ns_ = now_ns;
}

storage::Lsn ChangeLog::known_from() const {
    const std::lock_guard lock(mutex_);
    return known_from_;
}

storage::Lsn ChangeLog::noted() const {
    const std::lock_guard lock(mutex_);
    return noted_;
}

Changed ChangeLog::between(
    storage::TableOid table, const Window& window, const PgSnapshot& snapshot
) const {
    const std::lock_guard lock(mutex_);
    Changed changed;
    changed.covered =
        window.before >= known_from_ && (!window.since_ns || *window.since_ns >= known_since_ns_);
    for (const Entry& entry : entries_) {
        const bool seen = snapshot.sees(entry.xid);
        const bool both = seen && entry.lsn <= window.before;
        const bool neither = !seen && entry.lsn > window.after;
        if (entry.table != table || both || neither) {
            continue;
        }
        if (entry.all) {
            changed.complete = false;
        } else {
            changed.keys.insert(entry.key);
        }
    }
    return changed;
}

}  // namespace veer::router::compare
