#pragma once

#include "storage/change_spill.hpp"
#include "storage/row.hpp"
#include "storage/sync/table_failures.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace veer::storage::sync {

/// The changes of a transaction that did not find room in memory.
struct Spilled {
    std::shared_ptr<ChangeSpill> changes;
    std::vector<std::uint32_t> aborted;      ///< subtransactions, in order: nothing of them counts
    std::map<TableOid, std::uint32_t> left;  ///< of these, nothing before this change counts
    std::set<TableOid> touched;              ///< all tables that it may have changed
};

/// A transaction of which the stream has not sent the end.
///
///     append ─▶ memory ──spill()──▶ disk ──give_up()──▶ only which tables it changed
///
/// Invariants:
/// 1. end() has exactly the changes whose subtransaction was not aborted, of tables that did not
///    leave after them, in their order.
/// 2. A table fails only by a change that counts. One that was given up fails all tables that it
///    changed.
class OpenTransaction {
  public:
    /// So many failures are told apart by their subtransactions.
    static constexpr std::size_t failures_max = 1'000;
    static constexpr std::size_t aborted_max = 1'000'000;
    /// So are the subtransactions that the server tells of.
    static constexpr std::size_t told_max = 100'000;

    explicit OpenTransaction(std::uint32_t xid) : xid_{xid} {}

    std::uint32_t xid() const { return xid_; }

    Result<void> append(std::uint32_t subxid, Change change);

    /// A change of the subtransaction has come, of whatever table.
    void tell(std::uint32_t subxid);

    /// True where any of those counts: the server sends the transaction whenever it is asked for
    /// it, and however it does.
    bool told() const { return !told_.empty(); }

    /// Moves what is in memory to the disk, and what comes later with it.
    Result<void> spill(const OpenSpill& open);

    /// Keeps nothing more; the reason is why the tables cannot be followed.
    void give_up(std::string reason);

    void abort(std::uint32_t subxid);

    /// A row of the table could not be read. Zero is no subtransaction that could be aborted.
    void fail(TableOid table, std::uint32_t subxid, const std::string& reason, bool outgrown);

    /// Nothing of the table counts that came before.
    void leave(TableOid table);

    std::size_t memory() const { return bytes_; }

    std::uint64_t disk() const { return spill_ == nullptr ? 0 : spill_->bytes(); }

    bool spilled() const { return spill_ != nullptr; }

    struct Ended {
        std::vector<Change> changes;  ///< all, or none where they are spilled
        std::optional<Spilled> spilled;
        TableFailures failures;
        std::set<TableOid> outgrown;  ///< of them, those that have only got a partition
    };

    /// The object is of no use after it.
    Ended end();

  private:
    struct Failure {
        std::string reason;
        bool outgrown = false;
    };

    struct Held {
        std::uint32_t subxid;
        Change change;
        std::size_t bytes;
    };

    void touch(const Change& change);
    Result<void> write(std::uint32_t subxid, const Change& change);

    std::uint32_t xid_;
    std::vector<Held> held_;
    std::size_t bytes_ = 0;
    std::shared_ptr<ChangeSpill> spill_;
    std::set<std::uint32_t> told_;  ///< subtransactions
    std::set<std::uint32_t> aborted_;
    std::map<TableOid, std::uint32_t> left_;
    std::set<TableOid> touched_;
    std::map<std::pair<TableOid, std::uint32_t>, Failure> failures_;
    std::optional<std::string> given_up_;
};

}  // namespace veer::storage::sync
