#pragma once

#include "storage/error.hpp"
#include "storage/partitions.hpp"
#include "storage/row.hpp"
#include "storage/source/pgoutput.hpp"
#include "storage/source/row_mapper.hpp"
#include "storage/sync/table_failures.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace veer::storage::sync {

/// Collects the messages of one transaction and gives it out whole, at its Commit.
///
///     Begin ─▶ ( Relation | Type | Origin | Insert | Update | Delete | Truncate | Message )* ─▶
///     Commit
///
/// Invariants:
/// 1. A transaction comes out only at Commit; one that the connection cuts off is thrown away with
/// the
///    assembler, and the server sends it again from its Begin.
/// 2. Tables that are not in `tables` leave no change. A row that cannot be read (its relation no
///    longer is what was copied, its bytes make no sense) fails its table, of which then no change
///    is left in the transaction; the others go on. A relation alone fails nothing, as its rows may
///    be skipped.
/// 3. Memory is bounded: of a transaction of more than `bytes_max` of changes, all tables that have
///    some fail. Their copies then start behind it, so that nothing is lost and nothing half
///    applied.
/// 4. Relations are remembered of all tables: the server does not send them again when a table is
///    followed later.
/// 5. A row of a partition that is not among those known fails its table: if the partition is gone
///    again before the next look at the catalogue, nothing else tells that its rows are, too.
///
///    What comes of a partition comes as of the root, but before the first of it comes
///    Relation(root), and right behind it Relation(partition).
class TransactionAssembler {
  public:
    static constexpr std::size_t default_bytes_max = 512U << 20U;

    explicit TransactionAssembler(
        std::vector<Table> tables, std::size_t bytes_max = default_bytes_max
    );

    /// Takes the next message; returns the transaction where it was the Commit.
    Result<std::optional<Transaction>> take(const source::pgoutput::Message& message);

    /// These are the tables from the next message on. Failures are forgotten. Amid a transaction,
    /// tables that leave take their rows along, of those that come only later rows are seen, and
    /// what has failed stays failed: rows of it are lost.
    void redefine(std::vector<Table> tables);

    /// Which partitions the followed tables have.
    void know(Partitions partitions) { partitions_ = std::move(partitions); }

    /// Takes a row message of this table that could not even be decoded.
    void fail(TableOid table, const std::string& reason);

    /// The tables that have failed since redefine(). Nothing of them comes any more.
    const TableFailures& failures() const { return failures_; }

    /// Those of them that were as they should be, and have got a partition.
    const std::set<TableOid>& outgrown() const { return outgrown_; }

    /// Takes no row of the current transaction, as the copy has it already. Requires inside().
    void skip_rows() { skipping_ = true; }

    /// True between Begin and Commit.
    bool inside() const { return current_.has_value(); }

  private:
    /// The tables of `before` that are followed no more.
    TableFailures left(const std::vector<Table>& before) const;

    /// A Relation message with its own strings.
    struct KnownRelation {
        explicit KnownRelation(const source::pgoutput::Relation& received);
        source::pgoutput::Relation view() const;

        source::pgoutput::Relation message;  ///< its views are dead
        std::string schema;
        std::string name;
        std::vector<std::string> columns;
    };

    Result<void> add(const source::pgoutput::Relation& message);
    void check_partition(TableOid partition);
    Result<void> add(const source::pgoutput::Insert& message);
    Result<void> add(const source::pgoutput::Update& message);
    Result<void> add(const source::pgoutput::Delete& message);
    Result<void> add(const source::pgoutput::Truncate& message);
    Result<void> begin(const source::pgoutput::Begin& message);
    Result<void> append(Change change, std::size_t bytes);
    Result<Transaction> commit(const source::pgoutput::Commit& message);
    void fail_all_in_transaction();
    void make_mapper(const Table& table, const source::pgoutput::Relation& relation);
    const Table* followed(TableOid oid) const;
    Result<const source::RowMapper*> find_mapper(TableOid oid);

    std::vector<Table> tables_;
    std::size_t bytes_max_;
    Partitions partitions_;
    std::optional<TableOid> root_;  ///< of the Relation before
    std::map<TableOid, KnownRelation> relations_;
    std::map<TableOid, Result<source::RowMapper>> mappers_;  ///< of followed tables
    TableFailures failures_;
    std::set<TableOid> outgrown_;
    std::optional<Transaction> current_;
    std::size_t bytes_ = 0;
    bool skipping_ = false;
};

}  // namespace veer::storage::sync
