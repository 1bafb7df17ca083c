#include "storage/store/rocks_chunks.hpp"

#include "storage/store/rocks_options.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <system_error>

namespace veer::storage::store {

namespace {

constexpr std::size_t megabyte = 1U << 20U;

/// Chunks are large, written in bulk, and read once, at start.
constexpr RocksSizes sizes{
    .cache_bytes = 8 * megabyte,
    .block_bytes = 64U << 10U,
    .write_buffer_bytes = 16 * megabyte,
    .wal_bytes = 32 * megabyte,
    .open_files = 64,
    .background_jobs = 1};

Error failed(std::string_view what, const std::string& directory, std::string_view why) {
    return {
        Errc::disk,
        std::string{what}.append(" the checkpoints in ").append(directory + ": ").append(why) +
            "."};
}

class RocksChunks final : public ChunkStore {
  public:
    RocksChunks(std::string directory, rocksdb::DB* db)
        : directory_{std::move(directory)}, db_{db} {}

    Result<std::optional<std::string>> read(const std::string& key) const override {
        std::string value;
        const rocksdb::Status status = db_->Get(reading(), key, &value);
        if (status.IsNotFound()) {
            return std::optional<std::string>{};
        }
        if (!status.ok()) {
            return failed("Cannot read", directory_, status.ToString());
        }
        return std::optional{std::move(value)};
    }

    Result<std::vector<std::string>> keys(const std::string& prefix) const override {
        std::vector<std::string> found;
        const std::unique_ptr<rocksdb::Iterator> at{db_->NewIterator(reading())};
        for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next()) {
            found.push_back(at->key().ToString());
        }
        if (!at->status().ok()) {
            return failed("Cannot read", directory_, at->status().ToString());
        }
        return found;
    }

    Result<void> put(const std::string& key, const std::string& value) override {
        return written(db_->Put({}, key, value));
    }

    Result<void> commit(
        const std::string& key, const std::string& value, std::span<const std::string> erased
    ) override {
        rocksdb::WriteBatch batch;
        batch.Put(key, value);
        for (const std::string& old : erased) {
            batch.Delete(old);
        }
        rocksdb::WriteOptions durable;
        durable.sync = true;
        return written(db_->Write(durable, &batch));
    }

  private:
    /// Each value is read once.
    static rocksdb::ReadOptions reading() {
        rocksdb::ReadOptions options;
        options.fill_cache = false;
        return options;
    }

    Result<void> written(const rocksdb::Status& status) const {
        return status.ok() ? Result<void>{}
                           : failed("Cannot write to", directory_, status.ToString());
    }

    std::string directory_;
    std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

Result<std::unique_ptr<ChunkStore>> open_chunks(const std::string& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (!error) {
        std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
    }
    if (error) {
        return failed("Cannot use", directory, error.message());
    }
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(rocks_options(sizes), directory, &db);
    if (!status.ok()) {
        return failed("Cannot open", directory, status.ToString());
    }
    return std::unique_ptr<ChunkStore>{std::make_unique<RocksChunks>(directory, db)};
}

}  // namespace veer::storage::store
