#include "storage/store/row_file.hpp"

#include "storage/store/encoding.hpp"

#include <rocksdb/db.h>
#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

namespace veer::storage::store {

namespace {

/// As the database has its keys in order: those of one table differ in this part alone.
std::vector<const Row*> in_order(std::span<const Row> rows) {
    std::vector<const Row*> sorted;
    sorted.reserve(rows.size());
    for (const Row& row : rows) {
        sorted.push_back(&row);
    }
    std::sort(sorted.begin(), sorted.end(), [](const Row* one, const Row* other) {
        return one->key < other->key;
    });
    return sorted;
}

std::string next_name() {
    static std::atomic<std::uint64_t> next{0};
    return std::to_string(next.fetch_add(1, std::memory_order_relaxed)) + ".sst";
}

}  // namespace

RowFiles::RowFiles(rocksdb::DB& db, const std::string& directory)
    : db_{&db}, directory_{directory + "/loading"} {
    std::error_code ignored;  // what is in the way then, add() says
    std::filesystem::remove_all(directory_, ignored);
    std::filesystem::create_directory(directory_, ignored);
}

rocksdb::Status RowFiles::write(const std::string& path, TableOid table, std::span<const Row> rows)
    const {
    rocksdb::SstFileWriter file{rocksdb::EnvOptions{}, db_->GetOptions()};
    rocksdb::Status status = file.Open(path);
    for (const Row* const row : in_order(rows)) {
        if (!status.ok()) {
            return status;
        }
        const std::optional<std::string> value = encode_row(*row);
        status = value.has_value() ? file.Put(row_key(table, row->key), *value)
                                   : rocksdb::Status::InvalidArgument("an unresolved vector");
    }
    return status.ok() ? file.Finish() : status;
}

rocksdb::Status RowFiles::add(TableOid table, std::span<const Row> rows) {
    const std::string path = directory_ + "/" + next_name();
    rocksdb::Status status = write(path, table, rows);
    if (status.ok()) {
        rocksdb::IngestExternalFileOptions options;
        options.move_files = true;
        options.write_global_seqno = false;  // the file is not written to again
        status = db_->IngestExternalFile({path}, options);
    }
    std::error_code ignored;  // usually it is there no more
    std::filesystem::remove(path, ignored);
    return status;
}

}  // namespace veer::storage::store
