#pragma once

#include "storage/change_spill.hpp"
#include "storage/error.hpp"
#include "storage/partitions.hpp"
#include "storage/row.hpp"
#include "storage/source/pgoutput.hpp"
#include "storage/source/row_mapper.hpp"
#include "storage/sync/open_transaction.hpp"
#include "storage/sync/relation_map.hpp"
#include "storage/sync/table_failures.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace veer::storage::sync {

/// Collects the messages of transactions, and gives each out whole, at its Commit.
///
///     Begin ─▶ ( Relation | Type | Origin | Insert | Update | Delete | Truncate | Message )* ─▶
///     Commit
///
///     Stream Start 7 ─▶ ( the same, each with its subtransaction )* ─▶ Stream Stop ─▶
///     ... others, whole or in such pieces ... ─▶ Stream Abort 7, of a subtransaction
///     Stream Start 7 ─▶ ... ─▶ Stream Stop ─▶ Stream Commit 7, or Stream Abort of all
///
/// Invariants:
/// 1. A transaction comes out only at its Commit; what the connection cuts off is thrown away with
///    the assembler, and the server sends it again from its beginning.
/// 2. Tables that are not in `tables` leave no change. A row that cannot be read (its relation no
///    longer is what was copied, its bytes make no sense) fails its table, of which then no change
///    is left in the transaction; the others go on. A relation alone fails nothing, as its rows may
///    be skipped. What is aborted fails nothing either.
/// 3. Memory is bounded, by `memory_max` for all transactions together: beyond it the largest goes
///    to the disk. Beyond `disk_max` there, and `spilled_max` of them, all tables of it fail. Their
///    copies then start behind it, so that nothing is lost and nothing half applied.
/// 4. Relations are remembered of all tables: the server does not send them again when a table is
///    followed later. Those of a streamed transaction are its own until its commit: then the server
///    takes them as known.
/// 5. A row of a partition that is not among those known fails its table: if the partition is gone
///    again before the next look at the catalogue, nothing else tells that its rows are, too.
///
///    What comes of a partition comes as of the root, but before the first of it comes
///    Relation(root), and right behind it Relation(partition).
class TransactionAssembler {
  public:
    struct Limits {
        std::size_t memory_max = 512U << 20U;
        std::uint64_t disk_max = 0;
        std::size_t spilled_max = 64;
    };

    /// Without `spill`, what is too large for memory is too large.
    explicit TransactionAssembler(std::vector<Table> tables)
        : TransactionAssembler{std::move(tables), Limits{}, nullptr} {}

    TransactionAssembler(std::vector<Table> tables, const Limits& limits, OpenSpill spill);

    /// Takes the next message; returns the transaction where it was the Commit. `subxid` is the xid
    /// of a streamed message.
    Result<std::optional<Transaction>> take(
        const source::pgoutput::Message& message, std::uint32_t subxid = 0
    );

    /// True where the transaction that take() returned has changed a table of the publication,
    /// followed or not. Another one the server need not send when it is asked again: it tells of
    /// one that is empty only if it was so large that it came in pieces.
    bool told() const { return told_; }

    /// The same of a streamed one that has not ended.
    bool told(std::uint32_t xid) const;

    /// The changes of the transaction that take() returned, where they are on disk; once.
    std::optional<Spilled> take_spilled() { return std::exchange(spilled_, std::nullopt); }

    /// These are the tables from the next message on. Failures are forgotten. Amid a transaction,
    /// tables that leave take their rows along, of those that come only later rows are seen, and
    /// what has failed stays failed: rows of it are lost.
    void redefine(std::vector<Table> tables);

    /// Which partitions the followed tables have.
    void know(Partitions partitions) { partitions_ = std::move(partitions); }

    /// All tables that the stream has named, partitions among them.
    const std::set<TableOid>& named() const { return named_; }

    /// Takes a row message that could not even be decoded.
    void fail(const source::pgoutput::Owner& owner, const std::string& reason);

    /// The tables that have failed since redefine(). Nothing of them comes any more.
    const TableFailures& failures() const { return failures_; }

    /// Those of them that were as they should be, and have got a partition.
    const std::set<TableOid>& outgrown() const { return outgrown_; }

    /// Takes no row of the current transaction, as the copy has it already. Requires inside().
    void skip_rows() { skipping_ = true; }

    /// Forgets the changes of a streamed transaction, for the same reason.
    void skip_streamed(std::uint32_t xid);

    /// True between Begin and Commit, and between Stream Start and Stream Stop.
    bool inside() const { return plain_.has_value() || streaming(); }

    /// True between Stream Start and Stream Stop.
    bool streaming() const { return current_.has_value(); }

    /// Transactions that are streamed, and have not ended.
    std::size_t open() const { return streamed_.size(); }

  private:
    struct Streamed {
        OpenTransaction transaction;
        RelationMap relations;
    };

    /// The tables of `before` that are followed no more.
    TableFailures left(const std::vector<Table>& before) const;

    Result<void> add(const source::pgoutput::Begin& message);
    Result<void> add(const source::pgoutput::Relation& message);
    Result<void> add(const source::pgoutput::Insert& message);
    Result<void> add(const source::pgoutput::Update& message);
    Result<void> add(const source::pgoutput::Delete& message);
    Result<void> add(const source::pgoutput::Truncate& message);
    Result<void> add(const source::pgoutput::StreamStart& message);
    Result<void> add(const source::pgoutput::StreamStop& message);
    Result<void> add(const source::pgoutput::StreamAbort& message);
    Result<Transaction> commit(const source::pgoutput::Commit& message);
    Result<Transaction> commit(const source::pgoutput::StreamCommit& message);
    Transaction end(OpenTransaction& transaction);

    void check_partition(TableOid partition);
    void fail(TableOid table, const std::string& reason, bool outgrown);
    Result<void> append(Change change);
    Result<void> bound();
    OpenTransaction* current();
    RelationMap& relations();
    const Table* followed(TableOid oid) const;
    Result<const source::RowMapper*> find_mapper(TableOid oid);

    std::vector<Table> tables_;
    Limits limits_;
    OpenSpill open_spill_;
    Partitions partitions_;
    std::optional<TableOid> root_;  ///< of the Relation before
    std::set<TableOid> named_;
    RelationMap relations_;
    std::uint64_t sequence_ = 0;  ///< of messages
    TableFailures failures_;
    std::set<TableOid> outgrown_;
    std::optional<OpenTransaction> plain_;
    std::int64_t begun_timestamp_ = 0;  ///< of plain_
    std::map<std::uint32_t, Streamed> streamed_;
    std::optional<std::uint32_t> current_;  ///< of streamed_
    std::uint32_t subxid_ = 0;              ///< of the message
    std::optional<Spilled> spilled_;
    bool told_ = false;
    bool skipping_ = false;
};

}  // namespace veer::storage::sync
