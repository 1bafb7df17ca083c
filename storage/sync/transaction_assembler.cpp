#include "storage/sync/transaction_assembler.hpp"

#include "storage/sync/resume.hpp"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

namespace veer::storage::sync {

namespace pgoutput = source::pgoutput;

namespace {

/// About what a change costs beside its vectors, so that many small ones are bounded, too.
constexpr std::size_t change_overhead = sizeof(Change) + 64;

std::size_t size_of(const Row& row) {
    std::size_t bytes = row.key.size() + change_overhead;
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

Error out_of_order(std::string_view what) {
    return {
        Errc::unexpected, std::string{"The stream sent "}.append(what).append(" out of order.")};
}

}  // namespace

TransactionAssembler::TransactionAssembler(std::vector<Table> tables, std::size_t bytes_max)
    : tables_{std::move(tables)}, bytes_max_{bytes_max} {}

TransactionAssembler::KnownRelation::KnownRelation(const pgoutput::Relation& received)
    : message{received}, schema{received.schema}, name{received.name} {
    for (const pgoutput::RelationColumn& column : received.columns) {
        columns.emplace_back(column.name);
    }
}

pgoutput::Relation TransactionAssembler::KnownRelation::view() const {
    pgoutput::Relation relation = message;
    relation.schema = schema;
    relation.name = name;
    for (std::size_t column = 0; column < columns.size(); ++column) {
        relation.columns[column].name = columns[column];
    }
    return relation;
}

void TransactionAssembler::redefine(std::vector<Table> tables) {
    const std::vector<Table> before = std::exchange(tables_, std::move(tables));
    const TableFailures failed = std::exchange(failures_, {});
    outgrown_.clear();
    if (current_.has_value()) {
        remove_changes(*current_, left(before));
        // What has failed in this transaction has lost rows of it already.
        std::copy_if(
            failed.begin(),
            failed.end(),
            std::inserter(failures_, failures_.end()),
            [this](const auto& failure) { return find_table(tables_, failure.first) != nullptr; }
        );
    }
    std::erase_if(mappers_, [this](const auto& mapper) {
        return find_table(tables_, mapper.first) == nullptr;
    });
    for (const Table& table : tables_) {
        // One that goes on keeps its mapper: what the stream sends may still be of before a change
        // that the catalogue shows already.
        const Table* const same = find_table(before, table.oid);
        const bool goes_on =
            same != nullptr && same->same_rows(table) && !failed.contains(table.oid);
        const auto relation = relations_.find(table.oid);
        if (!goes_on && relation != relations_.end()) {
            make_mapper(table, relation->second.view());
        }
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

void TransactionAssembler::fail(TableOid table, const std::string& reason) {
    if (skipping_ || followed(table) == nullptr) {
        return;
    }
    failures_.emplace(table, reason);
    if (current_.has_value()) {
        remove_changes(*current_, failures_);
    }
}

Result<std::optional<Transaction>> TransactionAssembler::take(const pgoutput::Message& message) {
    if (!std::holds_alternative<pgoutput::Relation>(message) &&
        !std::holds_alternative<pgoutput::Type>(message)) {
        root_.reset();
    }
    if (const auto* const end = std::get_if<pgoutput::Commit>(&message)) {
        auto transaction = commit(*end);
        if (!transaction.has_value()) {
            return transaction.error();
        }
        return std::optional{std::move(*transaction)};
    }
    auto taken = std::visit(
        [&](const auto& kind) -> Result<void> {
            using Kind = std::decay_t<decltype(kind)>;
            if constexpr (std::is_same_v<Kind, pgoutput::Begin>) {
                return begin(kind);
            } else if constexpr (std::is_same_v<Kind, pgoutput::Relation> || std::is_same_v<Kind, pgoutput::Insert> || std::is_same_v<Kind, pgoutput::Update> || std::is_same_v<Kind, pgoutput::Delete> || std::is_same_v<Kind, pgoutput::Truncate>) {
                return add(kind);
            } else {
                return {};  // Origin, Type and LogicalMessage say nothing of rows
            }
        },
        message
    );
    if (!taken.has_value()) {
        return taken.error();
    }
    return std::optional<Transaction>{};
}

Result<void> TransactionAssembler::begin(const pgoutput::Begin& message) {
    if (inside()) {
        return out_of_order("a Begin");
    }
    current_ = Transaction{message.final_lsn, {}, {}, message.xid, message.timestamp};
    bytes_ = 0;
    return {};
}

Result<Transaction> TransactionAssembler::commit(const pgoutput::Commit& message) {
    if (!inside()) {
        return out_of_order("a Commit");
    }
    Transaction transaction = std::move(*current_);
    current_.reset();
    skipping_ = false;
    transaction.commit_lsn = message.commit_lsn;
    transaction.end_lsn = message.end_lsn;
    return transaction;
}

Result<void> TransactionAssembler::add(const pgoutput::Relation& message) {
    relations_.insert_or_assign(message.oid, KnownRelation{message});
    const Table* const table = find_table(tables_, message.oid);
    if (table == nullptr) {
        check_partition(message.oid);
        return {};
    }
    root_ = message.oid;
    make_mapper(*table, message);
    return {};
}

void TransactionAssembler::check_partition(TableOid partition) {
    const std::optional<TableOid> root = std::exchange(root_, std::nullopt);
    const auto known = root.has_value() ? partitions_.find(*root) : partitions_.end();
    if (known != partitions_.end() && !known->second.contains(partition)) {
        outgrown_.insert(*root);
        fail(*root, "a partition came with rows that the copy did not know of");
    }
}

void TransactionAssembler::make_mapper(const Table& table, const pgoutput::Relation& relation) {
    mappers_.insert_or_assign(table.oid, source::RowMapper::make(table, relation));
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
        fail(message.table, row.error().message);
        return {};
    }
    const std::size_t bytes = size_of(*row);
    return append(Upsert{message.table, std::nullopt, std::move(*row)}, bytes);
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
        fail(message.table, row.error().message);
        return {};
    }
    Upsert upsert{message.table, std::nullopt, std::move(*row)};
    if (message.old_row.has_value()) {
        auto old_key = (*mapper)->key(*message.old_row);
        if (!old_key.has_value()) {
            fail(message.table, old_key.error().message);
            return {};
        }
        // Under REPLICA IDENTITY FULL the old row always comes.
        if (*old_key != upsert.row.key) {
            upsert.old_key = std::move(*old_key);
        }
    }
    const std::size_t bytes = size_of(upsert.row);
    return append(std::move(upsert), bytes);
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
        fail(message.table, key.error().message);
        return {};
    }
    const std::size_t bytes = key->size() + change_overhead;
    return append(Delete{message.table, std::move(*key)}, bytes);
}

Result<void> TransactionAssembler::add(const pgoutput::Truncate& message) {
    Truncate change;
    std::copy_if(
        message.tables.begin(),
        message.tables.end(),
        std::back_inserter(change.tables),
        [&](TableOid oid) { return !skipping_ && followed(oid) != nullptr; }
    );
    return change.tables.empty() ? Result<void>{} : append(std::move(change), change_overhead);
}

Result<void> TransactionAssembler::append(Change change, std::size_t bytes) {
    if (!inside()) {
        return out_of_order("a change");
    }
    bytes_ += bytes;
    current_->changes.push_back(std::move(change));
    if (bytes_ > bytes_max_) {
        fail_all_in_transaction();
    }
    return {};
}

void TransactionAssembler::fail_all_in_transaction() {
    const std::string reason = "a transaction changed more than " +
                               std::to_string(bytes_max_ >> 20U) +
                               " MB of vectors: copying the table is cheaper";
    for (const Change& change : current_->changes) {
        if (const auto* const upsert = std::get_if<Upsert>(&change)) {
            failures_.emplace(upsert->table, reason);
        } else if (const auto* const removed = std::get_if<Delete>(&change)) {
            failures_.emplace(removed->table, reason);
        }
    }
    remove_changes(*current_, failures_);
    bytes_ = 0;
}

/// Null where nothing of the table is wanted.
const Table* TransactionAssembler::followed(TableOid oid) const {
    return failures_.contains(oid) ? nullptr : find_table(tables_, oid);
}

Result<const source::RowMapper*> TransactionAssembler::find_mapper(TableOid oid) {
    if (skipping_ || followed(oid) == nullptr) {
        return nullptr;
    }
    const auto found = mappers_.find(oid);
    if (found == mappers_.end()) {
        return out_of_order("a row before its Relation");
    }
    if (!found->second.has_value()) {
        fail(oid, found->second.error().message);
        return nullptr;
    }
    return &*found->second;
}

}  // namespace veer::storage::sync
