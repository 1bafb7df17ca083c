#include "storage/sync/open_transaction.hpp"

#include <algorithm>
#include <limits>

namespace veer::storage::sync {

namespace {

/// About what a change costs beside its vectors, so that many small ones are bounded, too.
constexpr std::size_t change_overhead = sizeof(Change) + 64;

std::size_t size_of(const Row& row) {
    std::size_t bytes = row.key.size();
    for (const VectorValue& value : row.vectors) {
        const Vector* const vector = vector_in(value);
        bytes += sizeof value + (vector == nullptr ? 0 : bytes_of(*vector));
    }
    for (const ColumnValue& value : row.values) {
        const auto* const text = std::get_if<std::string>(&value);
        bytes += sizeof value + (text == nullptr ? 0 : text->size());
    }
    return bytes;
}

std::size_t size_of(const Change& change) {
    std::size_t bytes = change_overhead;
    if (const auto* const upsert = std::get_if<Upsert>(&change)) {
        bytes += size_of(upsert->row) + upsert->old_key.value_or("").size();
    } else if (const auto* const removed = std::get_if<Delete>(&change)) {
        bytes += removed->key.size();
    }
    return bytes;
}

}  // namespace

void OpenTransaction::touch(const Change& change) {
    if (const auto* const upsert = std::get_if<Upsert>(&change)) {
        touched_.insert(upsert->table);
    } else if (const auto* const removed = std::get_if<Delete>(&change)) {
        touched_.insert(removed->table);
    } else {
        const auto& tables = std::get<Truncate>(change).tables;
        touched_.insert(tables.begin(), tables.end());
    }
}

void OpenTransaction::tell(std::uint32_t subxid) {
    told_.insert(told_.size() < told_max ? subxid : 0);
}

Result<void> OpenTransaction::append(std::uint32_t subxid, Change change) {
    touch(change);
    if (given_up_.has_value()) {
        return {};
    }
    if (spill_ != nullptr) {
        return write(subxid, change);
    }
    const std::size_t bytes = size_of(change);
    held_.push_back({subxid, std::move(change), bytes});
    bytes_ += bytes;
    return {};
}

/// One table each.
Result<void> OpenTransaction::write(std::uint32_t subxid, const Change& change) {
    const auto* const truncate = std::get_if<Truncate>(&change);
    if (truncate == nullptr) {
        return spill_->add(subxid, change);
    }
    for (const TableOid table : truncate->tables) {
        if (auto added = spill_->add(subxid, Truncate{{table}}); !added.has_value()) {
            return added;
        }
    }
    return {};
}

Result<void> OpenTransaction::spill(const OpenSpill& open) {
    auto opened = open(xid_);
    if (!opened.has_value()) {
        return opened.error();
    }
    spill_ = std::move(*opened);
    bytes_ = 0;
    for (const Held& held : std::exchange(held_, {})) {
        if (auto written = write(held.subxid, held.change); !written.has_value()) {
            return written;
        }
    }
    return {};
}

void OpenTransaction::give_up(std::string reason) {
    given_up_ = std::move(reason);
    held_ = {};
    bytes_ = 0;
    spill_.reset();
    aborted_.clear();
}

void OpenTransaction::abort(std::uint32_t subxid) {
    std::erase_if(held_, [&](const Held& held) {
        bytes_ -= held.subxid == subxid ? held.bytes : 0;
        return held.subxid == subxid;
    });
    std::erase_if(failures_, [&](const auto& failure) { return failure.first.second == subxid; });
    told_.erase(subxid);
    if (spill_ != nullptr) {
        aborted_.insert(subxid);
        if (aborted_.size() > aborted_max) {
            give_up("a transaction rolled more savepoints back than can be remembered");
        }
    }
}

void OpenTransaction::fail(
    TableOid table, std::uint32_t subxid, const std::string& reason, bool outgrown
) {
    const std::uint32_t place = failures_.size() < failures_max ? subxid : 0;
    failures_.try_emplace({table, place}, Failure{reason, outgrown});
}

void OpenTransaction::leave(TableOid table) {
    Transaction kept;
    std::erase_if(held_, [&](Held& held) {
        kept.changes = {std::move(held.change)};
        remove_changes(kept, {{table, ""}});
        if (kept.changes.empty()) {
            bytes_ -= held.bytes;
            return true;
        }
        held.change = std::move(kept.changes.front());
        return false;
    });
    if (spill_ != nullptr) {
        left_[table] = spill_->count();
    }
    touched_.erase(table);
    std::erase_if(failures_, [&](const auto& failure) { return failure.first.first == table; });
}

OpenTransaction::Ended OpenTransaction::end() {
    Ended ended;
    for (auto& [where, failure] : failures_) {
        ended.failures.emplace(where.first, failure.reason);
        if (failure.outgrown) {
            ended.outgrown.insert(where.first);
        }
    }
    if (given_up_.has_value()) {
        for (const TableOid table : touched_) {
            ended.failures.emplace(table, *given_up_);
        }
        return ended;
    }
    if (spill_ == nullptr) {
        Transaction whole;
        whole.changes.reserve(held_.size());
        for (Held& held : held_) {
            whole.changes.push_back(std::move(held.change));
        }
        remove_changes(whole, ended.failures);
        ended.changes = std::move(whole.changes);
        return ended;
    }
    for (const auto& [table, reason] : ended.failures) {
        left_[table] = std::numeric_limits<std::uint32_t>::max();
    }
    ended.spilled = Spilled{
        std::move(spill_),
        {aborted_.begin(), aborted_.end()},
        std::move(left_),
        std::move(touched_)};
    return ended;
}

}  // namespace veer::storage::sync
