#include "storage/store/database.hpp"

#include "storage/store/encoding.hpp"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

namespace veer::storage::store {

Error disk_error(std::string_view what, std::string_view why) {
    return {Errc::disk, std::string{what}.append(": ").append(why).append(".")};
}

Database::Database() = default;
Database::~Database() = default;

Error Database::error(std::string_view what, const rocksdb::Status& status) const {
    std::string why = status.ToString();
    if (status.IsNoSpace()) {
        why +=
            ". Make room there: until then Postgres answers, its slot keeps what is missing "
            "here, and veer tries again by itself";
    }
    return disk_error(std::string{what}.append(" the store in ").append(directory), why);
}

Error Database::corrupted(std::string_view what) const {
    return disk_error(
        "The store in " + directory + " is damaged",
        std::string{what}.append(
            " cannot be decoded; remove the directory, veer will copy the tables again"
        )
    );
}

Result<std::optional<std::string>> Database::read(const std::string& key) const {
    std::string value;
    const rocksdb::Status status = db->Get({}, key, &value);
    if (status.IsNotFound()) {
        return std::optional<std::string>{};
    }
    if (!status.ok()) {
        return error("Cannot read", status);
    }
    return std::optional{std::move(value)};
}

Result<void> Database::commit(rocksdb::WriteBatch& batch, bool durable) const {
    rocksdb::WriteOptions options;
    options.sync = durable;
    const std::scoped_lock lock{writing_};
    const rocksdb::Status status = db->Write(options, &batch);
    if (!status.ok()) {
        failed_ = error("Cannot write to", status);
        return *failed_;
    }
    failed_.reset();
    return {};
}

Result<void> Database::sync_log() const {
    const std::scoped_lock lock{writing_};
    if (failed_.has_value()) {
        return *failed_;
    }
    const rocksdb::Status status = db->SyncWAL();
    if (!status.ok()) {
        failed_ = error("Cannot make durable", status);
        return *failed_;
    }
    return {};
}

Result<void> Database::append_delete(
    rocksdb::WriteBatch& batch, const std::string& from, const std::string& end
) const {
    const rocksdb::Slice upper{end};
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at{db->NewIterator(options)};
    at->Seek(from);
    if (at->Valid()) {
        batch.DeleteRange(from, end);
    }
    return at->status().ok() ? Result<void>{} : error("Cannot read", at->status());
}

/// A file may be given up only once it is durable that its rows are not wanted. Such a file may
/// have said of older rows, in a file that reaches out of the range and stays, that they are gone:
/// so what is seen in the range afterwards is deleted once more.
Result<void> Database::commit_deletes(rocksdb::WriteBatch& batch, const std::vector<Keys>& ranges)
    const {
    if (auto deleted = commit(batch, true); !deleted.has_value()) {
        return deleted;
    }
    rocksdb::WriteBatch again;
    for (const auto& [first, end] : ranges) {
        if (first >= end) {
            continue;
        }
        const rocksdb::Slice from{first};
        const rocksdb::Slice to{end};
        // Failure costs only the space.
        rocksdb::DeleteFilesInRange(db.get(), db->DefaultColumnFamily(), &from, &to, false)
            .PermitUncheckedError();
        if (auto appended = append_delete(again, first, end); !appended.has_value()) {
            return appended;
        }
    }
    return again.Count() == 0 ? Result<void>{} : commit(again, false);
}

std::uint64_t Database::size_of(const std::string& prefix) const {
    const std::string end = after_prefix(prefix);
    const rocksdb::Range range{prefix, end};
    rocksdb::SizeApproximationOptions options;
    options.include_memtables = true;
    std::uint64_t size = 0;
    db->GetApproximateSizes(options, db->DefaultColumnFamily(), &range, 1, &size)
        .PermitUncheckedError();
    return size;
}

}  // namespace veer::storage::store
