#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"
#include "storage/source/pgoutput.hpp"
#include "storage/source/row_mapper.hpp"

#include <map>
#include <optional>
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
/// 2. Tables that are not in `tables` leave no change. A row of a relation that no longer is what
///    was copied is Errc::gone; the relation alone is not, as its rows may be skipped.
/// 3. Memory is bounded: a transaction of more than `bytes_max` of changes is Errc::gone. The copy
/// that
///    follows starts behind it, so that nothing is lost and nothing half applied.
class TransactionAssembler {
  public:
    static constexpr std::size_t default_bytes_max = 512U << 20U;

    explicit TransactionAssembler(
        std::vector<Table> tables, std::size_t bytes_max = default_bytes_max
    );

    /// Takes the next message; returns the transaction where it was the Commit.
    Result<std::optional<Transaction>> take(const source::pgoutput::Message& message);

    /// These are the tables from the next message on: those there were, with the same rows, or
    /// fewer.
    void redefine(std::vector<Table> tables);

    /// Takes no row of the current transaction, as the copy has it already. Requires inside().
    void skip_rows() { skipping_ = true; }

    /// True between Begin and Commit.
    bool inside() const { return current_.has_value(); }

  private:
    Result<void> add(const source::pgoutput::Relation& message);
    Result<void> add(const source::pgoutput::Insert& message);
    Result<void> add(const source::pgoutput::Update& message);
    Result<void> add(const source::pgoutput::Delete& message);
    Result<void> add(const source::pgoutput::Truncate& message);
    Result<void> begin(const source::pgoutput::Begin& message);
    Result<void> append(Change change, std::size_t bytes);
    Result<Transaction> commit(const source::pgoutput::Commit& message);
    const Table* find_table(TableOid oid) const;
    Result<const source::RowMapper*> find_mapper(TableOid oid) const;

    std::vector<Table> tables_;
    std::size_t bytes_max_;
    std::map<TableOid, Result<source::RowMapper>> mappers_;
    std::optional<Transaction> current_;
    std::size_t bytes_ = 0;
    bool skipping_ = false;
};

}  // namespace veer::storage::sync
