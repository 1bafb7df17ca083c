#include "storage/source/catalogue.hpp"
#include "storage/source/publication.hpp"
#include "storage/source/slot.hpp"
#include "storage/source/table_copy.hpp"
#include "storage/sync/joiner.hpp"
#include "storage/sync/page_ranges.hpp"
#include "storage/sync/resume.hpp"
#include "storage/sync/snapshot_merge.hpp"
#include "storage/sync/spool_replay.hpp"
#include "storage/sync/table_at_point.hpp"
#include "storage/sync/table_load.hpp"
#include "storage/verify/table_range.hpp"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

// What the joiner's thread does with one table, from publishing it to where the stream takes it
// over.

namespace veer::storage::sync {

namespace {

/// A spool that is no longer than this is left to the stream's thread.
constexpr std::size_t short_spool = 200;

std::string name_of(const Table& table) {
    return table.schema + "." + table.name;
}

}  // namespace

/// What changed while the table was out of the publication, the spool does not have. From here on
/// the next look at the catalogue notices.
Result<void> Joiner::check_published() {
    auto published = source::read_publication(*connection_, context_.name);
    if (!published.has_value()) {
        return published.error();
    }
    const Complete joining = complete();
    if (!published->has_value() ||
        !source::continues_publication(
            joining.publication_fingerprint, **published, joining.table.oid
        )) {
        return Error{Errc::gone, "The table was out of the publication while it was copied."};
    }
    return {};
}

/// What does not need the stream's thread. Publishing comes before the slot: of a transaction that
/// began before, pgoutput may leave changes out.
Result<Table> Joiner::prepare(const Table& wanted) {
    if (auto connected = connect(); !connected.has_value()) {
        return connected.error();
    }
    auto catalogue = source::discover(*connection_, context_.columns);
    if (!catalogue.has_value()) {
        return catalogue.error();
    }
    const Table* const table = find_table(catalogue->tables, wanted.oid);
    if (table == nullptr) {
        return Error{Errc::gone, "The table has no usable vector index any more."};
    }
    partitions_.clear();
    if (const auto found = catalogue->partitions.find(table->oid);
        found != catalogue->partitions.end()) {
        partitions_.insert(*found);
    }
    auto published = source::join_publication(*connection_, context_.name, *table);
    return published.has_value() ? Result<Table>{*table} : published.error();
}

/// What an earlier attempt has left of the table; then it is copied on as it was then.
Result<std::optional<store::CopyRecord>> Joiner::find_record(Table& table) {
    auto record = context_.store.copy();
    if (!record.has_value()) {
        return record;
    }
    if (!record->has_value() || (*record)->table.oid != table.oid) {
        return std::optional<store::CopyRecord>{};
    }
    auto published = source::read_publication(*connection_, context_.name);
    if (!published.has_value()) {
        return published.error();
    }
    auto now = continued(**record, {table}, published->value_or(source::Publication{}));
    if (!now.has_value()) {
        return std::optional<store::CopyRecord>{};
    }
    table = std::move(*now);
    return record;
}

/// The libraries below may throw where memory runs out.
Result<void> Joiner::copy_or_tell(const Table& table, std::optional<store::CopyRecord> record) {
    try {
        context_.progress.join(table);
        return copy(table, std::move(record));
    } catch (const std::exception& thrown) {
        return Error{Errc::unexpected, std::string{"The copy failed: "} + thrown.what() + "."};
    }
}

Result<void> Joiner::copy(const Table& table, std::optional<store::CopyRecord> record) {
    if (record.has_value()) {
        spdlog::info(
            "sync: going on with the copy of {}: {} rows are there", name_of(table), record->rows
        );
        context_.progress.resume_copy(table, record->rows, record->bytes);
    } else {
        spdlog::info("sync: copying {}", name_of(table));
    }
    if (!record.has_value() || !is_read(*record)) {
        auto read = this->read(table, std::move(record));
        if (!read.has_value()) {
            return read.error();
        }
        record = std::move(*read);
    } else {
        const std::scoped_lock lock{mutex_};
        joining_->first_point = record->first;
    }
    {
        const std::scoped_lock lock{mutex_};
        joining_->consistent_point = record->last;
        joining_->publication_fingerprint = record->publication_fingerprint;
    }
    auto built = build(table);
    return built.has_value() ? catch_up(table, record->last) : built;
}

/// ATTACH PARTITION does not wait for who reads the table. What a copy reads behind one that then
/// goes again is nobody's, and an attempt that was interrupted could not tell any more. As a
/// sub-select, so that the planner has one list, and not one for each partition.
std::string Joiner::known_partitions(const Table& table) const {
    const auto known = partitions_.find(table.oid);
    if (!is_partitioned(table) || known == partitions_.end()) {
        return {};
    }
    std::string condition = " AND tableoid OPERATOR(pg_catalog.=) ANY ((SELECT '{";
    for (const auto& [partition, state] : known->second) {
        condition += std::to_string(partition.value) + ",";
    }
    condition.back() = '}';
    return condition + "'::pg_catalog.oid[])::pg_catalog.oid[])";
}

/// All rows into the store, as of the newest snapshot.
Result<store::CopyRecord> Joiner::read(
    const Table& table, std::optional<store::CopyRecord> record
) {
    if (record.has_value()) {  // else the snapshot is held for as long as the stream is behind
        auto end = source::log_end(*connection_);
        auto there = end.has_value() ? wait_for(*end) : Result<void>{end.error()};
        if (!there.has_value()) {
            return there.error();
        }
    }
    const std::string slot = context_.name + "_join";
    auto at = open_at_point(
        {context_.options, slot, context_.name, context_.columns, context_.identity},
        *connection_,
        table
    );
    if (!at.has_value()) {
        return at.error();
    }
    if (!record.has_value()) {
        record.emplace();
        record->publication_fingerprint = at->publication_fingerprint;
        record->first = at->point;
    }
    record->table = table;  // the same rows and file, by the name that it has now
    record->last = at->point;
    {
        const std::scoped_lock lock{mutex_};
        joining_->first_point = record->first;
    }
    Result<void> done = context_.store.save_copy(*record);
    rows_copied_ = true;
    if (done.has_value()) {
        RangeCopy copy{
            {context_.store,
             context_.progress,
             context_.options,
             context_.limits,
             known_partitions(table),
             [this] {
                 return interrupted();
             }},
            *record};
        done = copy.run(at->connection);
        done = done.has_value() ? check_partitions(table) : done;
    }
    if (done.has_value() && record->first < record->last) {
        done = merge(at->connection, *record);
        done = done.has_value() ? check_partitions(table) : done;
    }
    if (!done.has_value()) {
        return done.error();
    }
    auto ended = at->connection.query("COMMIT");
    return ended.has_value() ? Result<store::CopyRecord>{std::move(*record)} : ended.error();
}

/// The rows of a partition that came with rows meanwhile were left out, and the stream does not
/// have them. One that has gone again by now has taken them along.
Result<void> Joiner::check_partitions(const Table& table) {
    if (!is_partitioned(table)) {
        return {};
    }
    auto now = source::discover(*connection_, context_.columns);
    if (!now.has_value()) {
        return now.error();
    }
    const auto found = now->partitions.find(table.oid);
    const auto known = partitions_.find(table.oid);
    if (found == now->partitions.end() || known == partitions_.end() ||
        found->second != known->second) {
        return Error{Errc::gone, "Partitions came or went while the table was copied."};
    }
    return {};
}

/// In the newest snapshot's transaction.
Result<void> Joiner::merge(source::Connection& connection, store::CopyRecord& record) {
    if (auto there = wait_for(record.last); !there.has_value()) {
        return there;
    }
    auto known = context_.store.copy();
    if (!known.has_value()) {
        return known.error();
    }
    if (!known->has_value() || (*known)->unreadable >= record.first) {
        return Error{Errc::gone, "Changes of the table could not be read while it was copied."};
    }
    auto keys = verify::TableRange::make(connection, record.table);
    if (!keys.has_value()) {
        return keys.error();
    }
    const auto fetch = [&](const std::vector<RowKey>& wanted) -> Result<std::vector<Row>> {
        std::vector<Row> found;
        const auto take = [&found](std::span<const Row> rows, std::size_t /*bytes*/) {
            found.insert(found.end(), rows.begin(), rows.end());
            return Result<void>{};
        };
        const std::string condition =
            "(" + keys->any_of(wanted) + ")" + known_partitions(record.table);
        auto read = source::copy_rows(connection, record.table, condition, take);
        return read.has_value() ? Result<std::vector<Row>>{std::move(found)} : read.error();
    };
    return merge_snapshots(context_.store, record, fetch, [this] { return interrupted(); });
}

/// The index, from the rows in the store.
Result<void> Joiner::build(const Table& table) {
    spdlog::info("sync: copied {}; its index is built", name_of(table));
    context_.progress.build(table);
    return load_table(*context_.store.view(), table, context_.progress, [this] {
        return interrupted();
    });
}

Result<void> Joiner::catch_up(const Table& table, Lsn consistent_point) {
    context_.progress.set_state(table, TableState::catching_up, "");
    for (std::size_t replayed = short_spool; replayed >= short_spool;) {
        if (auto ended = interrupted(); !ended.has_value()) {
            return ended;
        }
        auto page = replay_spool(context_.store, context_.progress, table.oid, consistent_point);
        if (!page.has_value()) {
            return page.error();
        }
        replayed = *page;
    }
    return check_published();
}

}  // namespace veer::storage::sync
