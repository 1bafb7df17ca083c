#pragma once

#include "storage/change_spill.hpp"
#include "storage/error.hpp"
#include "storage/row.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace veer::storage::store {

/// A transaction's changes as files of RocksDB's, which belong to no database: written once, in
/// order, and with checksums.
///
///     transactions/<xid>/<place of the first change>.sst
///
///         key    be32 place
///         value  be32 subxid, be32 table, encode_change()
///
/// Memory: a block of each. Files that were not sealed go with the object.
/// One takes no more than is left free when its next file begins: with it applied, its rows are in
/// the database, too.
class TransactionFiles final : public ChangeSpill {
  public:
    /// Bytes that are free where a directory is.
    using FreeSpace = std::function<std::uint64_t(const std::string& directory)>;
    static std::uint64_t free_space(const std::string& directory);

    /// `directory` is that of all transactions. What is there of an earlier one with this xid is
    /// removed.
    static Result<std::shared_ptr<ChangeSpill>> create(
        const std::string& directory, std::uint32_t xid, FreeSpace free = free_space
    );

    ~TransactionFiles() override;

    Result<void> add(std::uint32_t subxid, const Change& change) override;
    Result<void> seal() override;
    std::uint32_t count() const override;
    std::uint64_t bytes() const override;

    /// Removes what there is of one transaction, and of all.
    static void remove(const std::string& directory, std::uint32_t xid);
    static void sweep(const std::string& directory);

  private:
    struct Impl;
    explicit TransactionFiles(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

/// A change as it was added.
struct SpilledChange {
    std::uint32_t place = 0;
    std::uint32_t subxid = 0;
    TableOid table;
    Change change;
};

/// Reads sealed files, also those of an earlier life.
class TransactionReader {
  public:
    TransactionReader(const std::string& directory, std::uint32_t xid, std::uint32_t from);
    TransactionReader(TransactionReader&&) noexcept;
    TransactionReader& operator=(TransactionReader&&) noexcept;
    ~TransactionReader();

    /// The next changes, at most 1,000 or about 8 MB; none at the end. Errc::gone where they are
    /// not there, or not what was written.
    Result<std::vector<SpilledChange>> next();

    /// Files of which everything comes before what next() returns next, once it was called.
    bool has_passed_files() const;
    void remove_passed_files();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace veer::storage::store
