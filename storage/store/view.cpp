#include "storage/store/view.hpp"

#include "storage/store/encoding.hpp"

#include <rocksdb/db.h>

#include <memory>
#include <utility>

namespace veer::storage::store {

View::View(rocksdb::DB& db, std::string directory)
    : db_{db}, directory_{std::move(directory)}, snapshot_{db.GetSnapshot()} {}

View::~View() {
    db_.ReleaseSnapshot(snapshot_);
}

Result<void> View::for_each_row(
    TableOid table, const std::optional<RowKey>& after, const std::function<bool(Row&&)>& visit
) const {
    const std::string prefix = row_prefix(table);
    const std::string end = after_prefix(prefix);
    const rocksdb::Slice upper{end};
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    options.iterate_upper_bound = &upper;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at{db_.NewIterator(options)};
    at->Seek(after.has_value() ? row_key(table, *after) : prefix);
    if (after.has_value() && at->Valid() &&
        at->key().ToStringView().substr(prefix.size()) == *after) {
        at->Next();
    }
    for (; at->Valid(); at->Next()) {
        const std::string_view key = at->key().ToStringView().substr(prefix.size());
        std::optional<Row> row = decode_row(RowKey{key}, at->value().ToStringView());
        if (!row.has_value()) {
            return Error{
                Errc::disk,
                "The store in " + directory_ +
                    " is damaged: a row cannot be decoded; remove the directory, veer will copy "
                    "the tables again."};
        }
        if (!visit(std::move(*row))) {
            return {};
        }
    }
    if (!at->status().ok()) {
        return Error{
            Errc::disk, "Cannot read the store in " + directory_ + ": " + at->status().ToString()};
    }
    return {};
}

}  // namespace veer::storage::store
