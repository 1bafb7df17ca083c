#include "storage/sync/transaction_assembler.hpp"

#include "storage/sync/flush_nudge.hpp"
#include "storage/sync/resume.hpp"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

namespace veer::storage::sync {

namespace pgoutput = source::pgoutput;

namespace {

Error out_of_order(std::string_view what) {
    return {
        Errc::unexpected, std::string{"The stream sent "}.append(what).append(" out of order.")};
}

std::string megabytes(std::uint64_t bytes) {
    return std::to_string(bytes >> 20U) + " MB";
}

template <class Kind>
constexpr bool ends_transaction =
    std::is_same_v<Kind, pgoutput::Commit> || std::is_same_v<Kind, pgoutput::StreamCommit>;

template <class Kind>
constexpr bool is_change =
    std::is_same_v<Kind, pgoutput::Insert> || std::is_same_v<Kind, pgoutput::Update> ||
    std::is_same_v<Kind, pgoutput::Delete> || std::is_same_v<Kind, pgoutput::Truncate>;

/// Sent again it would find no more room: its tables are copied again, if it commits.
Result<void> give_up_where_full(OpenTransaction& transaction, Result<void> written) {
    if (written.has_value() || written.error().code != Errc::disk) {
        return written;
    }
    transaction.give_up("a large transaction found no room on disk: " + written.error().message);
    return {};
}

/// These say nothing of rows.
template <class Kind>
constexpr bool is_remark =
    std::is_same_v<Kind, pgoutput::Origin> || std::is_same_v<Kind, pgoutput::Type> ||
    std::is_same_v<Kind, pgoutput::LogicalMessage>;

}  // namespace

TransactionAssembler::TransactionAssembler(
    std::vector<Table> tables, const Limits& limits, OpenSpill spill
)
    : tables_{std::move(tables)}, limits_{limits}, open_spill_{std::move(spill)} {}

void TransactionAssembler::redefine(std::vector<Table> tables) {
    const std::vector<Table> before = std::exchange(tables_, std::move(tables));
    const TableFailures failed = std::exchange(failures_, {});
    outgrown_.clear();
    for (const auto& [table, none] : left(before)) {
        if (plain_.has_value()) {
            plain_->leave(table);
        }
        for (auto& [xid, streamed] : streamed_) {
            streamed.transaction.leave(table);
        }
    }
    if (plain_.has_value()) {
        // What has failed in this transaction has lost rows of it already.
        std::copy_if(
            failed.begin(),
            failed.end(),
            std::inserter(failures_, failures_.end()),
            [this](const auto& failure) { return find_table(tables_, failure.first) != nullptr; }
        );
    }
    // One that goes on keeps its mapper: what the stream sends may still be of before a change
    // that the catalogue shows already.
    const auto goes_on = [&](const Table& table) {
        const Table* const same = find_table(before, table.oid);
        return same != nullptr && same->same_rows(table) && !failed.contains(table.oid);
    };
    relations_.redefine(tables_, goes_on);
    for (auto& [xid, streamed] : streamed_) {
        streamed.relations.redefine(tables_, goes_on);
    }
}

TableFailures TransactionAssembler::left(const std::vector<Table>& before) const {
    TableFailures left;
    for (const Table& table : before) {
        if (find_table(tables_, table.oid) == nullptr) {
            left.emplace(table.oid, "");
        }
    }
    return left;
}

void TransactionAssembler::fail(const pgoutput::Owner& owner, const std::string& reason) {
    subxid_ = owner.xid;
    if (inside()) {
        current()->tell(subxid_);
    }
    if (!skipping_ && followed(owner.table) != nullptr) {
        fail(owner.table, reason, false);
    }
}

bool TransactionAssembler::told(std::uint32_t xid) const {
    const auto found = streamed_.find(xid);
    return found != streamed_.end() && found->second.transaction.told();
}

/// Of a streamed transaction the failure counts when it commits, if it does.
void TransactionAssembler::fail(TableOid table, const std::string& reason, bool outgrown) {
    if (streaming()) {
        current()->fail(table, subxid_, reason, outgrown);
        return;
    }
    failures_.emplace(table, reason);
    if (outgrown) {
        outgrown_.insert(table);
    }
    if (plain_.has_value()) {
        plain_->leave(table);
    }
}

Result<std::optional<Transaction>> TransactionAssembler::take(
    const pgoutput::Message& message, std::uint32_t subxid
) {
    ++sequence_;
    subxid_ = subxid;
    if (!std::holds_alternative<pgoutput::Relation>(message) &&
        !std::holds_alternative<pgoutput::Type>(message)) {
        root_.reset();
    }
    return std::visit(
        [&](const auto& kind) -> Result<std::optional<Transaction>> {
            using Kind = std::decay_t<decltype(kind)>;
            bool change = is_change<Kind>;
            if constexpr (std::is_same_v<Kind, pgoutput::LogicalMessage>) {
                change = kind.prefix == flush_prefix;
            }
            if (change && inside()) {
                current()->tell(subxid_);
            }
            if constexpr (ends_transaction<Kind>) {
                auto transaction = commit(kind);
                return transaction.has_value() ? Result<std::optional<Transaction>>{std::optional{
                                                     std::move(*transaction)}}
                                               : transaction.error();
            } else if constexpr (is_remark<Kind>) {
                return std::optional<Transaction>{};
            } else {
                auto taken = add(kind);
                return taken.has_value()
                           ? Result<std::optional<Transaction>>{std::optional<Transaction>{}}
                           : taken.error();
            }
        },
        message
    );
}

Result<void> TransactionAssembler::add(const pgoutput::Begin& message) {
    if (inside()) {
        return out_of_order("a Begin");
    }
    plain_.emplace(message.xid);
    begun_timestamp_ = message.timestamp;
    return {};
}

Result<Transaction> TransactionAssembler::commit(const pgoutput::Commit& message) {
    if (!plain_.has_value()) {
        return out_of_order("a Commit");
    }
    Transaction transaction = end(*plain_);
    transaction.timestamp = begun_timestamp_;
    transaction.commit_lsn = message.commit_lsn;
    transaction.end_lsn = message.end_lsn;
    plain_.reset();
    skipping_ = false;
    return transaction;
}

Result<void> TransactionAssembler::add(const pgoutput::StreamStart& message) {
    if (inside() || streamed_.contains(message.xid) == message.first) {
        return out_of_order("a Stream Start");
    }
    if (message.first) {
        streamed_.emplace(message.xid, Streamed{OpenTransaction{message.xid}, {}});
    }
    current_ = message.xid;
    return {};
}

Result<void> TransactionAssembler::add(const pgoutput::StreamStop& /*message*/) {
    if (!streaming()) {
        return out_of_order("a Stream Stop");
    }
    current_.reset();
    return {};
}

/// Of one that is not known there is nothing to forget.
Result<void> TransactionAssembler::add(const pgoutput::StreamAbort& message) {
    if (inside()) {
        return out_of_order("a Stream Abort");
    }
    const auto found = streamed_.find(message.xid);
    if (found != streamed_.end() && message.subxid != message.xid) {
        found->second.transaction.abort(message.subxid);
    } else if (found != streamed_.end()) {
        streamed_.erase(found);
    }
    return {};
}

Result<Transaction> TransactionAssembler::commit(const pgoutput::StreamCommit& message) {
    const auto found = streamed_.find(message.xid);
    if (inside() || found == streamed_.end()) {
        return out_of_order("a Stream Commit");
    }
    Transaction transaction = end(found->second.transaction);
    transaction.timestamp = message.timestamp;
    transaction.commit_lsn = message.commit_lsn;
    transaction.end_lsn = message.end_lsn;
    relations_.merge(std::move(found->second.relations));
    streamed_.erase(found);
    return transaction;
}

Transaction TransactionAssembler::end(OpenTransaction& transaction) {
    told_ = transaction.told();
    OpenTransaction::Ended ended = transaction.end();
    failures_.merge(ended.failures);
    outgrown_.merge(ended.outgrown);
    spilled_ = std::move(ended.spilled);
    return {{}, {}, std::move(ended.changes), transaction.xid(), 0};
}

void TransactionAssembler::skip_streamed(std::uint32_t xid) {
    if (const auto found = streamed_.find(xid); found != streamed_.end()) {
        found->second.transaction = OpenTransaction{xid};
    }
}

Result<void> TransactionAssembler::add(const pgoutput::Relation& message) {
    const Table* const table = find_table(tables_, message.oid);
    named_.insert(message.oid);
    relations().add(message, table, sequence_);
    if (table == nullptr) {
        check_partition(message.oid);
    } else {
        root_ = message.oid;
    }
    return {};
}

void TransactionAssembler::check_partition(TableOid partition) {
    const std::optional<TableOid> root = std::exchange(root_, std::nullopt);
    const auto known = root.has_value() ? partitions_.find(*root) : partitions_.end();
    if (known != partitions_.end() && !known->second.contains(partition) && !skipping_ &&
        followed(*root) != nullptr) {
        fail(*root, "a partition came with rows that the copy did not know of", true);
    }
}

Result<void> TransactionAssembler::add(const pgoutput::Insert& message) {
    auto mapper = find_mapper(message.table);
    if (!mapper.has_value()) {
        return mapper.error();
    }
    if (*mapper == nullptr) {
        return {};
    }
    auto row = (*mapper)->row(message.row, nullptr);
    if (!row.has_value()) {
        fail(message.table, row.error().message, false);
        return {};
    }
    return append(Upsert{message.table, std::nullopt, std::move(*row)});
}

Result<void> TransactionAssembler::add(const pgoutput::Update& message) {
    auto mapper = find_mapper(message.table);
    if (!mapper.has_value()) {
        return mapper.error();
    }
    if (*mapper == nullptr) {
        return {};
    }
    auto row = (*mapper)->row(message.row, message.old_row ? &*message.old_row : nullptr);
    if (!row.has_value()) {
        fail(message.table, row.error().message, false);
        return {};
    }
    Upsert upsert{message.table, std::nullopt, std::move(*row)};
    if (message.old_row.has_value()) {
        auto old_key = (*mapper)->key(*message.old_row);
        if (!old_key.has_value()) {
            fail(message.table, old_key.error().message, false);
            return {};
        }
        // Under REPLICA IDENTITY FULL the old row always comes.
        if (*old_key != upsert.row.key) {
            upsert.old_key = std::move(*old_key);
        }
    }
    return append(std::move(upsert));
}

Result<void> TransactionAssembler::add(const pgoutput::Delete& message) {
    auto mapper = find_mapper(message.table);
    if (!mapper.has_value()) {
        return mapper.error();
    }
    if (*mapper == nullptr) {
        return {};
    }
    auto key = (*mapper)->key(message.old_row);
    if (!key.has_value()) {
        fail(message.table, key.error().message, false);
        return {};
    }
    return append(Delete{message.table, std::move(*key)});
}

Result<void> TransactionAssembler::add(const pgoutput::Truncate& message) {
    Truncate change;
    std::copy_if(
        message.tables.begin(),
        message.tables.end(),
        std::back_inserter(change.tables),
        [&](TableOid oid) { return !skipping_ && followed(oid) != nullptr; }
    );
    return change.tables.empty() ? Result<void>{} : append(std::move(change));
}

Result<void> TransactionAssembler::append(Change change) {
    if (!inside()) {
        return out_of_order("a change");
    }
    auto appended = give_up_where_full(*current(), current()->append(subxid_, std::move(change)));
    return appended.has_value() ? bound() : appended;
}

Result<void> TransactionAssembler::bound() {
    OpenTransaction* largest = current();
    OpenTransaction* longest = current();  // on disk
    std::size_t memory = plain_.has_value() ? plain_->memory() : 0;
    std::uint64_t disk = plain_.has_value() ? plain_->disk() : 0;
    std::size_t spilled = plain_.has_value() && plain_->spilled() ? 1 : 0;
    for (auto& [xid, streamed] : streamed_) {
        OpenTransaction& one = streamed.transaction;
        memory += one.memory();
        disk += one.disk();
        spilled += one.spilled() ? 1 : 0;
        largest = one.memory() > largest->memory() ? &one : largest;
        longest = one.disk() > longest->disk() ? &one : longest;
    }
    if (disk > limits_.disk_max) {
        longest->give_up(
            "transactions that have not ended changed more than " + megabytes(limits_.disk_max) +
            ", which [sync] streamed_max allows: copying the table is cheaper"
        );
    }
    if (memory <= limits_.memory_max) {
        return {};
    }
    if (open_spill_ != nullptr && spilled < limits_.spilled_max) {
        return give_up_where_full(*largest, largest->spill(open_spill_));
    }
    largest->give_up(
        "a transaction changed more than " + megabytes(limits_.memory_max) +
        " of vectors: copying the table is cheaper"
    );
    return {};
}

/// Null outside of a transaction.
OpenTransaction* TransactionAssembler::current() {
    if (streaming()) {
        return &streamed_.at(*current_).transaction;
    }
    return plain_.has_value() ? &*plain_ : nullptr;
}

RelationMap& TransactionAssembler::relations() {
    return streaming() ? streamed_.at(*current_).relations : relations_;
}

/// Null where nothing of the table is wanted.
const Table* TransactionAssembler::followed(TableOid oid) const {
    return failures_.contains(oid) ? nullptr : find_table(tables_, oid);
}

Result<const source::RowMapper*> TransactionAssembler::find_mapper(TableOid oid) {
    if (skipping_ || followed(oid) == nullptr) {
        return nullptr;
    }
    const Result<source::RowMapper>* const mapper = relations().mapper(oid);
    if (mapper == nullptr) {
        return out_of_order("a row before its Relation");
    }
    if (!mapper->has_value()) {
        fail(oid, mapper->error().message, false);
        return nullptr;
    }
    return &**mapper;
}

}  // namespace veer::storage::sync
