#include "storage/store/encoding.hpp"
#include "storage/store/rocks_options.hpp"
#include "storage/store/store_impl.hpp"

#include <rocksdb/db.h>

#include <algorithm>
#include <charconv>
#include <set>

// Copies of tables under way: their rows, their spools, and what is forgotten of them.

namespace veer::storage::store {

namespace {

constexpr std::size_t megabyte = 1U << 20U;
/// From so much on, rows of a copy are a file of their own.
constexpr std::size_t row_file_bytes_min = 2 * megabyte;
constexpr std::size_t spool_page_changes_max = 1'000;
constexpr std::size_t spool_page_bytes_max = 8 * megabyte;

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

Result<void> append_changes(rocksdb::WriteBatch& batch, std::span<const Change> changes) {
    for (const Change& change : changes) {
        if (auto appended = append_change(batch, change); !appended.has_value()) {
            return appended;
        }
    }
    return {};
}

void Store::Impl::append_spool(rocksdb::WriteBatch& batch, const Spool& spool) {
    SpoolPlace place{spool.commit_lsn, spool.first};
    for (const Change& change : spool.changes) {
        const std::string bytes = encode_change(change);
        batch.Put(spool_key(spool.table, place), bytes);
        spooled += bytes.size();
        ++place.place;
    }
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
    if (auto appended = append_changes(batch, changes); !appended.has_value()) {
        return appended;
    }
    ++last.place;
    batch.DeleteRange(spool_prefix(table), spool_key(table, last));
    return impl_->commit(batch, false);
}

}  // namespace veer::storage::store
