#include "storage/store/rocks_chunks.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <system_error>

namespace veer::storage::store {

namespace {

constexpr std::size_t megabyte = 1U << 20U;

rocksdb::Options rocks_options() {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(8 * megabyte);
    table.block_size = 64U << 10U;

    rocksdb::Options options;
    options.create_if_missing = true;
    options.paranoid_checks = true;
    options.write_buffer_size = 16 * megabyte;
    options.max_write_buffer_number = 2;
    options.max_total_wal_size = 32 * megabyte;
    options.max_open_files = 64;
    options.max_background_jobs = 1;
    options.compression = rocksdb::kNoCompression;  // links do not compress
    options.keep_log_file_num = 2;
    options.max_log_file_size = 4 * megabyte;
    options.info_log_level = rocksdb::WARN_LEVEL;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

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
    const rocksdb::Status status = rocksdb::DB::Open(rocks_options(), directory, &db);
    if (!status.ok()) {
        return failed("Cannot open", directory, status.ToString());
    }
    return std::unique_ptr<ChunkStore>{std::make_unique<RocksChunks>(directory, db)};
}

}  // namespace veer::storage::store
