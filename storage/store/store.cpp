#include "storage/store/store.hpp"

#include "storage/store/encoding.hpp"
#include "storage/store/rocks_options.hpp"
#include "storage/store/store_impl.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <random>
#include <system_error>

namespace veer::storage::store {

namespace {

constexpr std::string_view format = "veer store 4";
/// The same with a commit under way: who does not know of that would leave its other parts out. It
/// is `format` again with its end, so that a veer that knows no more than that can take over then.
constexpr std::string_view format_under_way = "veer store 5";
/// Of rows without types of vectors, and without copied columns: what they hold is copied again.
constexpr std::array<std::string_view, 3> outdated_formats{
    "veer store 1", "veer store 2", "veer store 3"};
constexpr std::size_t megabyte = 1U << 20U;

bool is_outdated(std::string_view found) {
    return std::find(outdated_formats.begin(), outdated_formats.end(), found) !=
           outdated_formats.end();
}

/// Rows are looked up by key, and written as fast as the stream comes.
constexpr RocksSizes sizes{
    .cache_bytes = 64 * megabyte,
    .block_bytes = 16U << 10U,
    .write_buffer_bytes = 32 * megabyte,
    .wal_bytes = 128 * megabyte,
    .open_files = 256,
    .background_jobs = 2};

std::string draw_instance() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    std::string name;
    for (int digit = 0; digit < 8; ++digit) {
        name.push_back(digits[random() % digits.size()]);
    }
    return name;
}

/// Makes the directory if need be, and shuts everybody else out of it.
Result<void> prepare_directory(const std::string& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (!error) {
        std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
    }
    if (error) {
        return disk_error("Cannot use the directory " + directory, error.message());
    }
    return {};
}

void forget_commit(rocksdb::WriteBatch& batch) {
    batch.Delete(meta_key("commit"));
    batch.Delete(meta_key("commit place"));
    batch.Put(meta_key("format"), std::string{format});
}

}  // namespace

Result<void> Store::Impl::start_over() {
    rocksdb::WriteBatch batch;
    batch.DeleteRange(std::string{"r"}, after_prefix("r"));
    for (const char* const name : {"state", "applied", "history", "commit", "commit place"}) {
        batch.Delete(meta_key(name));
    }
    batch.Put(meta_key("format"), std::string{format});
    return commit(batch, true);
}

Result<void> Store::Impl::check_format() {
    auto found = read(meta_key("format"));
    auto name = found.has_value() ? read(meta_key("instance")) : found;
    if (!name.has_value()) {
        return name.error();
    }
    if (found->has_value() && name->has_value() && is_outdated(**found)) {
        instance = **name;
        return start_over();
    }
    if (found->has_value() && **found != format && **found != format_under_way) {
        return disk_error(
            "Cannot use the store in " + directory,
            "it has the format \"" + **found + "\", and this veer knows only \"" +
                std::string{format} +
                "\"; start the veer that wrote it, or remove the directory to copy again"
        );
    }
    if (found->has_value() && name->has_value()) {
        instance = **name;
        return {};
    }
    instance = draw_instance();
    rocksdb::WriteBatch batch;
    batch.Put(meta_key("format"), std::string{format});
    batch.Put(meta_key("instance"), instance);
    return commit(batch, true);
}

Store::Store(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}

Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::string& directory) {
    if (auto prepared = prepare_directory(directory); !prepared.has_value()) {
        return prepared.error();
    }
    auto impl = std::make_unique<Impl>();
    impl->directory = directory;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(rocks_options(sizes), directory, &db);
    if (!status.ok()) {
        return impl->error("Cannot open", status);
    }
    impl->db.reset(db);
    impl->files.emplace(*db, directory);
    if (auto checked = impl->check_format(); !checked.has_value()) {
        return checked.error();
    }
    impl->spooled = impl->size_of("s");
    Store store{std::move(impl)};
    auto state = store.state();
    if (!state.has_value()) {
        return state.error();
    }
    if (state->has_value()) {
        store.impl_->applied = (*state)->applied;
    }
    return store;
}

const std::string& Store::instance() const {
    return impl_->instance;
}

Result<std::optional<SyncState>> Store::state() const {
    auto bytes = impl_->read(meta_key("state"));
    auto position = bytes.has_value() ? impl_->read(meta_key("applied")) : bytes;
    auto history = position.has_value() ? impl_->read(meta_key("history")) : position;
    if (!history.has_value()) {
        return history.error();
    }
    if (!bytes->has_value()) {
        return std::optional<SyncState>{};
    }
    std::optional<SyncState> state = decode_state(**bytes);
    const std::optional<Lsn> applied =
        position->has_value() ? decode_lsn(**position) : std::nullopt;
    // A store of before there was such a key has no history, and is copied again.
    const std::optional<History> known =
        history->has_value() ? decode_history(**history) : History{};
    if (!state.has_value() || !applied.has_value() || !known.has_value()) {
        return impl_->corrupted("the state");
    }
    state->applied = *applied;
    state->history = *known;
    return state;
}

Result<void> Store::reset(const SyncState& state) {
    rocksdb::WriteBatch batch;
    auto appended = impl_->append_delete(batch, "r", after_prefix("s"));
    if (!appended.has_value()) {
        return appended;
    }
    batch.Put(meta_key("state"), encode_state(state));
    batch.Put(meta_key("applied"), encode_lsn(state.applied));
    batch.Put(meta_key("history"), encode_history(state.history));
    forget_commit(batch);
    auto written = impl_->commit(batch, true);
    if (!written.has_value()) {
        return written;
    }
    impl_->applied = state.applied;
    // Gives the space back now: the copy that follows needs it. Failure costs only the space.
    const std::string end = after_prefix("s");
    const rocksdb::Slice first{"r"};
    const rocksdb::Slice last{end};
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    impl_->db->CompactRange(options, &first, &last).PermitUncheckedError();
    return {};
}

Result<void> Store::redefine(
    const std::vector<Table>& tables, const std::string& publication_fingerprint
) {
    rocksdb::WriteBatch batch;
    return commit_tables(batch, tables, publication_fingerprint);
}

Result<void> Store::join(
    const std::vector<Table>& tables, const std::string& publication_fingerprint
) {
    rocksdb::WriteBatch batch;
    batch.Delete(slice(copy_key));
    batch.Delete(slice(unreadable_key));
    return commit_tables(batch, tables, publication_fingerprint);
}

/// Rows of tables that are not among them any more are deleted.
Result<void> Store::commit_tables(
    rocksdb::WriteBatch& batch,
    const std::vector<Table>& tables,
    const std::string& publication_fingerprint
) {
    auto state = this->state();
    if (!state.has_value()) {
        return state.error();
    }
    if (!state->has_value()) {
        return Error{Errc::unexpected, "Tables were redefined that were never copied."};
    }
    std::vector<Database::Keys> left;
    for (const Table& before : (*state)->tables) {
        const bool stays = std::any_of(tables.begin(), tables.end(), [&](const Table& table) {
            return table.oid == before.oid;
        });
        if (!stays) {
            const std::string prefix = row_prefix(before.oid);
            batch.DeleteRange(prefix, after_prefix(prefix));
            left.emplace_back(prefix, after_prefix(prefix));
        }
    }
    (*state)->tables = tables;
    (*state)->publication_fingerprint = publication_fingerprint;
    batch.Put(meta_key("state"), encode_state(**state));
    return impl_->commit_deletes(batch, left);
}

Result<void> Store::write(
    std::span<const Change> changes,
    Lsn applied,
    const std::optional<History>& history,
    const Spool& spool
) {
    rocksdb::WriteBatch batch;
    if (auto appended = append_changes(batch, changes); !appended.has_value()) {
        return appended;
    }
    impl_->append_spool(batch, spool);
    batch.Put(meta_key("applied"), encode_lsn(applied));
    if (history.has_value()) {
        batch.Put(meta_key("history"), encode_history(*history));
    }
    auto written = impl_->commit(batch, false);
    if (written.has_value()) {
        impl_->applied = applied;
    }
    return written;
}

Result<std::shared_ptr<ChangeSpill>> Store::open_spill(std::uint32_t xid) const {
    return TransactionFiles::create(impl_->spill_directory(), xid);
}

TransactionReader Store::read_spill(std::uint32_t xid, std::uint32_t from) const {
    return {impl_->spill_directory(), xid, from};
}

void Store::remove_spill(std::uint32_t xid) const {
    TransactionFiles::remove(impl_->spill_directory(), xid);
}

void Store::clear_spills() const {
    TransactionFiles::sweep(impl_->spill_directory());
}

Result<void> Store::begin_commit(const CommitRecord& record) {
    rocksdb::WriteBatch batch;
    batch.Put(meta_key("commit"), encode_commit(record));
    batch.Put(meta_key("commit place"), encode_place(record.next));
    batch.Put(meta_key("format"), std::string{format_under_way});
    return impl_->commit(batch, false);
}

Result<std::optional<CommitRecord>> Store::commit_under_way() const {
    auto bytes = impl_->read(meta_key("commit"));
    auto place = bytes.has_value() ? impl_->read(meta_key("commit place")) : bytes;
    if (!place.has_value()) {
        return place.error();
    }
    if (!bytes->has_value()) {
        return std::optional<CommitRecord>{};
    }
    std::optional<CommitRecord> record = decode_commit(**bytes);
    const auto next = place->has_value() ? decode_place(**place) : std::nullopt;
    if (!record.has_value() || !next.has_value()) {
        return impl_->corrupted("the record of a commit");
    }
    record->next = *next;
    return record;
}

Result<void> Store::write_part(
    std::span<const Change> changes, std::uint32_t next, const Spool& spool
) {
    rocksdb::WriteBatch batch;
    if (auto appended = append_changes(batch, changes); !appended.has_value()) {
        return appended;
    }
    impl_->append_spool(batch, spool);
    batch.Put(meta_key("commit place"), encode_place(next));
    return impl_->commit(batch, false);
}

Result<void> Store::end_commit(Lsn applied, const History& history) {
    rocksdb::WriteBatch batch;
    batch.Put(meta_key("applied"), encode_lsn(applied));
    batch.Put(meta_key("history"), encode_history(history));
    forget_commit(batch);
    auto written = impl_->commit(batch, false);
    if (written.has_value()) {
        impl_->applied = applied;
    }
    return written;
}

Result<void> Store::change_rows(std::span<const Change> changes) {
    rocksdb::WriteBatch batch;
    if (auto appended = append_changes(batch, changes); !appended.has_value()) {
        return appended;
    }
    return impl_->commit(batch, false);
}

Result<Lsn> Store::sync() {
    const Lsn applied = impl_->applied;
    auto synced = impl_->sync_log();
    return synced.has_value() ? Result<Lsn>{applied} : synced.error();
}

Result<std::optional<Row>> Store::get(TableOid table, const RowKey& key) const {
    auto bytes = impl_->read(row_key(table, key));
    if (!bytes.has_value()) {
        return bytes.error();
    }
    if (!bytes->has_value()) {
        return std::optional<Row>{};
    }
    std::optional<Row> row = decode_row(key, **bytes);
    if (!row.has_value()) {
        return impl_->corrupted("a row");
    }
    return row;
}

Result<void> Store::for_each_row(TableOid table, const std::function<bool(Row&&)>& visit) const {
    return view()->for_each_row(table, std::nullopt, visit);
}

std::shared_ptr<const View> Store::view() const {
    return std::make_shared<const View>(*impl_->db, impl_->directory);
}

}  // namespace veer::storage::store
