#include "storage/store/store.hpp"

#include "storage/store/database.hpp"
#include "storage/store/encoding.hpp"
#include "storage/store/rocks_options.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <random>
#include <set>
#include <system_error>

namespace veer::storage::store {

namespace {

constexpr std::string_view format = "veer store 4";
/// Of rows without types of vectors, and without copied columns: what they hold is copied again.
constexpr std::array<std::string_view, 3> outdated_formats{
    "veer store 1", "veer store 2", "veer store 3"};
constexpr std::size_t megabyte = 1U << 20U;
/// From so much on, rows of a copy are a file of their own.
constexpr std::size_t row_file_bytes_min = 2 * megabyte;
constexpr std::size_t spool_page_changes_max = 1'000;
constexpr std::size_t spool_page_bytes_max = 8 * megabyte;

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

rocksdb::Slice slice(std::string_view bytes) {
    return {bytes.data(), bytes.size()};
}

void append(rocksdb::WriteBatch& batch, const Delete& change) {
    batch.Delete(row_key(change.table, change.key));
}

void append(rocksdb::WriteBatch& batch, const Truncate& change) {
    for (const TableOid table : change.tables) {
        const std::string prefix = row_prefix(table);
        batch.DeleteRange(prefix, after_prefix(prefix));
    }
}

Result<void> append_row(rocksdb::WriteBatch& batch, TableOid table, const Row& row) {
    const std::optional<std::string> value = encode_row(row);
    if (!value.has_value()) {
        return Error{Errc::unexpected, "A row with an unresolved vector was given to the store."};
    }
    batch.Put(row_key(table, row.key), *value);
    return {};
}

Result<void> append_change(rocksdb::WriteBatch& batch, const Change& change) {
    if (const auto* const upsert = std::get_if<Upsert>(&change)) {
        if (upsert->old_key.has_value()) {
            batch.Delete(row_key(upsert->table, *upsert->old_key));
        }
        return append_row(batch, upsert->table, upsert->row);
    }
    if (const auto* const gone = std::get_if<Delete>(&change)) {
        append(batch, *gone);
    } else {
        append(batch, std::get<Truncate>(change));
    }
    return {};
}

}  // namespace

struct Store::Impl : Database {
    std::string instance;
    Lsn applied;
    std::uint64_t spooled = 0;

    void append_spool(rocksdb::WriteBatch& batch, const Spool& spool) {
        SpoolPlace place{spool.commit_lsn, spool.first};
        for (const Change& change : spool.changes) {
            const std::string bytes = encode_change(change);
            batch.Put(spool_key(spool.table, place), bytes);
            spooled += bytes.size();
            ++place.place;
        }
    }

    std::string spill_directory() const { return directory + "/transactions"; }

    /// Forgets all but who this veer is.
    Result<void> start_over() {
        rocksdb::WriteBatch batch;
        batch.DeleteRange(std::string{"r"}, after_prefix("r"));
        for (const char* const name : {"state", "applied", "history", "commit", "commit place"}) {
            batch.Delete(meta_key(name));
        }
        batch.Put(meta_key("format"), std::string{format});
        return commit(batch, true);
    }

    Result<void> check_format() {
        auto found = read(meta_key("format"));
        auto name = found.has_value() ? read(meta_key("instance")) : found;
        if (!name.has_value()) {
            return name.error();
        }
        if (found->has_value() && name->has_value() && is_outdated(**found)) {
            instance = **name;
            return start_over();
        }
        if (found->has_value() && **found != format) {
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
};

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
    batch.Delete(meta_key("commit"));
    batch.Delete(meta_key("commit place"));
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

Result<void> Store::forget(TableOid table) {
    rocksdb::WriteBatch batch;
    std::vector<Database::Keys> gone;
    for (const std::string& prefix : {row_prefix(table), spool_prefix(table)}) {
        auto appended = impl_->append_delete(batch, prefix, after_prefix(prefix));
        if (!appended.has_value()) {
            return appended;
        }
        gone.emplace_back(prefix, after_prefix(prefix));
    }
    batch.Delete(slice(copy_key));
    batch.Delete(slice(unreadable_key));
    impl_->spooled = 0;
    return impl_->commit_deletes(batch, gone);
}

std::uint64_t Store::spooled() const {
    return impl_->spooled;
}

Result<void> Store::forget_others(
    const std::vector<Table>& tables, std::optional<TableOid> joining
) {
    std::set<TableOid> kept;
    for (const Table& table : tables) {
        kept.insert(table.oid);
    }
    if (joining.has_value()) {
        kept.insert(*joining);
    }
    std::vector<Database::Keys> others;
    std::string from = "r";
    for (const TableOid table : kept) {
        others.emplace_back(from, row_prefix(table));
        from = after_prefix(row_prefix(table));
    }
    others.emplace_back(from, "s");
    impl_->spooled = 0;
    if (joining.has_value()) {  // complete tables have no spool
        const std::string spool = spool_prefix(*joining);
        others.emplace_back(after_prefix(spool_prefix({0})), spool);
        others.emplace_back(after_prefix(spool), after_prefix("s"));
        impl_->spooled = impl_->size_of(spool);
    } else {
        others.emplace_back("s", after_prefix("s"));
    }
    rocksdb::WriteBatch batch;
    for (const auto& [first, end] : others) {
        if (auto appended = impl_->append_delete(batch, first, end); !appended.has_value()) {
            return appended;
        }
    }
    return impl_->commit_deletes(batch, others);
}

Result<std::optional<CopyRecord>> Store::copy() const {
    auto bytes = impl_->read(std::string{copy_key});
    auto unreadable = bytes.has_value() ? impl_->read(std::string{unreadable_key}) : bytes;
    if (!unreadable.has_value()) {
        return unreadable.error();
    }
    if (!bytes->has_value()) {
        return std::optional<CopyRecord>{};
    }
    std::optional<CopyRecord> record = decode_copy(**bytes);
    const std::optional<Lsn> lsn =
        unreadable->has_value() ? decode_lsn(**unreadable) : std::optional{Lsn{}};
    if (!record.has_value() || !lsn.has_value()) {
        return impl_->corrupted("the record of a copy");
    }
    record->unreadable = *lsn;
    return record;
}

Result<void> Store::save_copy(const CopyRecord& record) {
    rocksdb::WriteBatch batch;
    batch.Put(slice(copy_key), encode_copy(record));
    return impl_->commit(batch, false);
}

Result<void> Store::note_unreadable(Lsn commit) {
    rocksdb::WriteBatch batch;
    batch.Put(slice(unreadable_key), encode_lsn(commit));
    return impl_->commit(batch, false);
}

Result<void> Store::write_rows(TableOid table, std::span<const Row> rows) {
    std::size_t bytes = 0;
    for (const Row& row : rows) {
        bytes += stored_bytes(row);
    }
    if (bytes >= row_file_bytes_min) {
        const rocksdb::Status status = impl_->files->add(table, rows);
        return status.ok() ? Result<void>{} : impl_->error("Cannot write to", status);
    }
    rocksdb::WriteBatch batch;
    for (const Row& row : rows) {
        if (auto appended = append_row(batch, table, row); !appended.has_value()) {
            return appended;
        }
    }
    return impl_->commit(batch, false);
}

bool Store::crowded() const {
    using Properties = rocksdb::DB::Properties;
    std::string files;
    std::uint64_t bytes = 0;
    impl_->db->GetProperty(Properties::kNumFilesAtLevelPrefix + "0", &files);
    impl_->db->GetIntProperty(Properties::kEstimatePendingCompactionBytes, &bytes);
    int count = 0;
    std::from_chars(files.data(), files.data() + files.size(), count);
    return count >= copies_wait.files || bytes >= copies_wait.bytes;
}

Result<void> Store::finish_copy(Lsn applied) {
    auto state = this->state();
    if (!state.has_value()) {
        return state.error();
    }
    if (!state->has_value()) {
        return Error{Errc::unexpected, "A copy was finished that was never begun."};
    }
    (*state)->phase = CopyPhase::streaming;
    rocksdb::WriteBatch batch;
    batch.Put(meta_key("state"), encode_state(**state));
    batch.Put(meta_key("applied"), encode_lsn(applied));
    auto written = impl_->commit(batch, true);
    if (written.has_value()) {
        impl_->applied = applied;
    }
    return written;
}

Result<void> Store::write(
    std::span<const Change> changes,
    Lsn applied,
    const std::optional<History>& history,
    const Spool& spool
) {
    rocksdb::WriteBatch batch;
    for (const Change& change : changes) {
        if (auto appended = append_change(batch, change); !appended.has_value()) {
            return appended;
        }
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
    for (const Change& change : changes) {
        if (auto appended = append_change(batch, change); !appended.has_value()) {
            return appended;
        }
    }
    impl_->append_spool(batch, spool);
    batch.Put(meta_key("commit place"), encode_place(next));
    return impl_->commit(batch, false);
}

Result<void> Store::end_commit(Lsn applied, const History& history) {
    rocksdb::WriteBatch batch;
    batch.Put(meta_key("applied"), encode_lsn(applied));
    batch.Put(meta_key("history"), encode_history(history));
    batch.Delete(meta_key("commit"));
    batch.Delete(meta_key("commit place"));
    auto written = impl_->commit(batch, false);
    if (written.has_value()) {
        impl_->applied = applied;
    }
    return written;
}

Result<SpoolPage> Store::read_spool(TableOid table, const SpoolWindow& window) const {
    const std::string prefix = spool_prefix(table);
    const std::string end = std::min(after_prefix(prefix), spool_key(table, {window.before, 0}));
    const rocksdb::Slice upper{end};
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at{impl_->db->NewIterator(options)};
    SpoolPage page;
    std::size_t bytes = 0;
    for (at->Seek(spool_key(table, window.from));
         at->Valid() && page.changes.size() < spool_page_changes_max &&
         bytes < spool_page_bytes_max;
         at->Next()) {
        const auto place = decode_spool_place(table, at->key().ToStringView());
        std::optional<Change> change = decode_change(table, at->value().ToStringView());
        if (!place.has_value() || !change.has_value()) {
            return impl_->corrupted("a spooled change");
        }
        bytes += at->value().size();
        page.commits.push_back(place->commit_lsn);
        page.changes.push_back(std::move(*change));
        page.last = *place;
    }
    if (!at->status().ok()) {
        return impl_->error("Cannot read", at->status());
    }
    return page;
}

Result<void> Store::use_spool(TableOid table, std::span<const Change> changes, SpoolPlace last) {
    rocksdb::WriteBatch batch;
    for (const Change& change : changes) {
        if (auto appended = append_change(batch, change); !appended.has_value()) {
            return appended;
        }
    }
    ++last.place;
    batch.DeleteRange(spool_prefix(table), spool_key(table, last));
    return impl_->commit(batch, false);
}

Result<void> Store::change_rows(std::span<const Change> changes) {
    rocksdb::WriteBatch batch;
    for (const Change& change : changes) {
        if (auto appended = append_change(batch, change); !appended.has_value()) {
            return appended;
        }
    }
    return impl_->commit(batch, false);
}

Result<Lsn> Store::sync() {
    const Lsn applied = impl_->applied;
    const rocksdb::Status status = impl_->db->SyncWAL();
    if (!status.ok()) {
        return impl_->error("Cannot make durable", status);
    }
    return applied;
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
