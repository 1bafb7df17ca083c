#include "storage/store/transaction_files.hpp"

#include "storage/byte_reader.hpp"
#include "storage/byte_writer.hpp"
#include "storage/store/database.hpp"
#include "storage/store/spool.hpp"

#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

namespace veer::storage::store {

namespace {

constexpr std::uint64_t file_bytes = 64U << 20U;
constexpr std::size_t page_changes_max = 1'000;
constexpr std::size_t page_bytes_max = 8U << 20U;

rocksdb::Options file_options() {
    rocksdb::BlockBasedTableOptions table;
    table.block_size = 64U << 10U;
    table.no_block_cache = true;
    rocksdb::Options options;
    options.compression = rocksdb::kNoCompression;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

std::string directory_of(const std::string& directory, std::uint32_t xid) {
    return directory + "/" + std::to_string(xid);
}

/// Names sort as their places do.
std::string name_of(std::uint32_t place) {
    std::string name(10, '0');
    const std::string digits = std::to_string(place);
    name.replace(name.size() - digits.size(), digits.size(), digits);
    return name + ".sst";
}

Error failure(std::string_view what, const std::string& directory, const rocksdb::Status& status) {
    return disk_error(std::string{what} + " the transaction in " + directory, status.ToString());
}

/// Of what was written: gone, or out of reach for now.
Error unreadable(const std::string& directory, const rocksdb::Status& status) {
    Error error = failure("Cannot read", directory, status);
    if (status.IsCorruption() || status.IsNotFound() || status.IsPathNotFound()) {
        error.code = Errc::gone;
    }
    return error;
}

TableOid table_of(const Change& change) {
    if (const auto* const upsert = std::get_if<Upsert>(&change)) {
        return upsert->table;
    }
    if (const auto* const removed = std::get_if<Delete>(&change)) {
        return removed->table;
    }
    return std::get<Truncate>(change).tables.front();
}

std::optional<SpilledChange> decode(std::string_view key, std::string_view value) {
    ByteReader place{key};
    ByteReader in{value};
    SpilledChange read{place.be32(), in.be32(), {in.be32()}, Truncate{}};
    std::optional<Change> change = decode_change(read.table, in.bytes(in.remaining()));
    if (!place.at_end() || in.failed() || !change.has_value()) {
        return std::nullopt;
    }
    read.change = std::move(*change);
    return read;
}

}  // namespace

struct TransactionFiles::Impl {
    std::string directory;
    FreeSpace free;
    std::unique_ptr<rocksdb::SstFileWriter> file;
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t bytes_before = 0;  ///< this file
    bool sealed = false;

    Result<void> finish() {
        const rocksdb::Status status = file->Finish();
        file.reset();
        return status.ok() ? Result<void>{} : failure("Cannot write", directory, status);
    }
};

TransactionFiles::TransactionFiles(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}

TransactionFiles::~TransactionFiles() {
    impl_->file.reset();
    if (!impl_->sealed) {
        sweep(impl_->directory);
    }
}

void TransactionFiles::remove(const std::string& directory, std::uint32_t xid) {
    sweep(directory_of(directory, xid));
}

void TransactionFiles::sweep(const std::string& directory) {
    std::error_code ignored;  // what stays is removed by the next one
    std::filesystem::remove_all(directory, ignored);
}

std::uint64_t TransactionFiles::free_space(const std::string& directory) {
    std::error_code unknown;
    const std::filesystem::space_info space = std::filesystem::space(directory, unknown);
    return unknown ? std::numeric_limits<std::uint64_t>::max() : space.available;
}

Result<std::shared_ptr<ChangeSpill>> TransactionFiles::create(
    const std::string& directory, std::uint32_t xid, FreeSpace free
) {
    auto impl = std::make_unique<Impl>();
    impl->free = std::move(free);
    impl->directory = directory_of(directory, xid);
    sweep(impl->directory);
    std::error_code error;
    std::filesystem::create_directories(impl->directory, error);
    if (error) {
        return disk_error("Cannot make " + impl->directory, error.message());
    }
    return std::shared_ptr<ChangeSpill>{new TransactionFiles{std::move(impl)}};
}

Result<void> TransactionFiles::add(std::uint32_t subxid, const Change& change) {
    Impl& to = *impl_;
    if (to.count == std::numeric_limits<std::uint32_t>::max()) {
        return disk_error("Cannot write " + to.directory, "there are too many changes");
    }
    rocksdb::Status status;
    if (to.file == nullptr) {
        if (to.bytes > to.free(to.directory)) {
            return disk_error("Cannot write " + to.directory, "too little of the disk is free");
        }
        to.file = std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions{}, file_options());
        to.bytes_before = to.bytes;
        status = to.file->Open(to.directory + "/" + name_of(to.count));
    }
    const std::string key = ByteWriter{}.be32(to.count).take();
    ByteWriter value;
    value.be32(subxid).be32(table_of(change).value).bytes(encode_change(change));
    if (status.ok()) {
        status = to.file->Put(key, value.written());
    }
    if (!status.ok()) {
        return failure("Cannot write", to.directory, status);
    }
    ++to.count;
    to.bytes += key.size() + value.written().size();
    return to.bytes - to.bytes_before < file_bytes ? Result<void>{} : to.finish();
}

/// The names in the directories are made durable, too.
Result<void> TransactionFiles::seal() {
    if (impl_->file != nullptr) {
        if (auto finished = impl_->finish(); !finished.has_value()) {
            return finished;
        }
    }
    const std::filesystem::path own{impl_->directory};
    for (const auto& path : {own, own.parent_path(), own.parent_path().parent_path()}) {
        std::unique_ptr<rocksdb::Directory> directory;
        rocksdb::Status status = rocksdb::Env::Default()->NewDirectory(path.string(), &directory);
        status = status.ok() ? directory->Fsync() : status;
        if (!status.ok()) {
            return failure("Cannot make durable", impl_->directory, status);
        }
    }
    impl_->sealed = true;
    return {};
}

std::uint32_t TransactionFiles::count() const {
    return impl_->count;
}

std::uint64_t TransactionFiles::bytes() const {
    return impl_->bytes;
}

struct TransactionReader::Impl {
    std::string directory;
    std::uint32_t next = 0;  ///< place
    bool listed = false;
    std::vector<std::string> names;  ///< not yet opened, the last one first
    std::string current;             ///< the name of `file`
    std::vector<std::string> passed;
    std::unique_ptr<rocksdb::SstFileReader> file;
    std::unique_ptr<rocksdb::Iterator> at;  ///< of `file`

    /// The files from the one on that has the next place; those before are passed.
    Result<void> list() {
        listed = true;
        std::error_code error;
        std::filesystem::directory_iterator found{directory, error};
        for (; !error && found != std::filesystem::directory_iterator{}; found.increment(error)) {
            names.push_back(found->path().filename().string());
        }
        if (error) {
            Error failed = disk_error("Cannot read " + directory, error.message());
            const bool none = error == std::errc::no_such_file_or_directory;
            return Error{none ? Errc::gone : failed.code, std::move(failed.message)};
        }
        std::sort(names.begin(), names.end(), std::greater<>{});
        const auto first = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
            return name <= name_of(next);
        });
        const auto before = first == names.end() ? first : first + 1;
        passed.assign(before, names.end());
        names.erase(before, names.end());
        return {};
    }

    Result<bool> open() {
        if (names.empty()) {
            return false;
        }
        at.reset();
        file = std::make_unique<rocksdb::SstFileReader>(file_options());
        if (!current.empty()) {
            passed.push_back(std::move(current));
        }
        current = std::move(names.back());
        names.pop_back();
        const rocksdb::Status status = file->Open(directory + "/" + current);
        if (!status.ok()) {
            return unreadable(directory, status);
        }
        at.reset(file->NewIterator(rocksdb::ReadOptions{}));
        at->Seek(ByteWriter{}.be32(next).take());
        return true;
    }
};

TransactionReader::TransactionReader(
    const std::string& directory, std::uint32_t xid, std::uint32_t from
)
    : impl_{std::make_unique<Impl>()} {
    impl_->directory = directory_of(directory, xid);
    impl_->next = from;
}

TransactionReader::TransactionReader(TransactionReader&&) noexcept = default;
TransactionReader& TransactionReader::operator=(TransactionReader&&) noexcept = default;
TransactionReader::~TransactionReader() = default;

bool TransactionReader::has_passed_files() const {
    return !impl_->passed.empty();
}

void TransactionReader::remove_passed_files() {
    for (const std::string& name : std::exchange(impl_->passed, {})) {
        std::error_code ignored;  // what stays is removed with the others
        std::filesystem::remove(std::filesystem::path{impl_->directory} / name, ignored);
    }
}

Result<std::vector<SpilledChange>> TransactionReader::next() {
    Impl& from = *impl_;
    if (!from.listed) {
        if (auto listed = from.list(); !listed.has_value()) {
            return listed.error();
        }
    }
    std::vector<SpilledChange> page;
    std::size_t bytes = 0;
    while (page.size() < page_changes_max && bytes < page_bytes_max) {
        if (from.at == nullptr || !from.at->Valid()) {
            if (from.at != nullptr && !from.at->status().ok()) {
                return unreadable(from.directory, from.at->status());
            }
            auto opened = from.open();
            if (!opened.has_value()) {
                return opened.error();
            }
            if (!*opened) {
                break;
            }
            continue;
        }
        const std::string_view value = from.at->value().ToStringView();
        auto change = decode(from.at->key().ToStringView(), value);
        if (!change.has_value() || change->place != from.next) {
            return Error{Errc::gone, "In " + from.directory + " a change is not what was written."};
        }
        bytes += value.size();
        ++from.next;
        page.push_back(std::move(*change));
        from.at->Next();
    }
    return page;
}

}  // namespace veer::storage::store
