#include "storage/sync/table_at_point.hpp"

#include "storage/source/catalogue.hpp"
#include "storage/source/publication.hpp"
#include "storage/source/table_copy.hpp"
#include "storage/sync/resume.hpp"

#include <utility>

namespace veer::storage::sync {

namespace {

/// Under the lock: since it was read nothing has become of the table, nor of its publication, whose
/// fingerprint this is.
Result<std::string> check_unchanged(
    const PointRequest& request, source::Connection& catalogue, const Table& table
) {
    auto now = source::discover(catalogue, request.columns);
    if (!now.has_value()) {
        return now.error();
    }
    const Table* const found = find_table(now->tables, table.oid);
    // By its name it is read; what became of its index is no matter. Another file is: to the
    // snapshot it is empty (ALTER TABLE, TRUNCATE), or has its rows on other pages (VACUUM FULL).
    if (found == nullptr || found->schema != table.schema || found->name != table.name ||
        found->fingerprint != table.fingerprint || !as_copied(*found, table).same_rows(table)) {
        return Error{Errc::gone, "The table was changed while its copy began."};
    }
    auto published = source::read_publication(catalogue, request.publication);
    if (!published.has_value()) {
        return published.error();
    }
    if (!published->has_value() || !(*published)->contains(table.oid)) {
        return Error{
            Errc::gone, "The table is not in the publication " + request.publication + "."};
    }
    return source::fingerprint(**published, {table});
}

Result<source::Connection> open_replication(const PointRequest& request) {
    source::ConnectOptions options = request.options;
    options.replication = true;
    auto replication = source::Connection::open(options);
    if (!replication.has_value()) {
        return replication;
    }
    auto identity = source::identify_system(*replication);
    if (!identity.has_value()) {
        return identity.error();
    }
    if (identity->system_id != request.identity.system_id ||
        identity->timeline != request.identity.timeline) {
        return Error{Errc::connection, "The stream comes from another server."};
    }
    return replication;
}

}  // namespace

Result<TableAtPoint> open_at_point(
    const PointRequest& request, source::Connection& catalogue, const Table& table
) {
    auto reader = source::Connection::open(request.options);
    if (!reader.has_value()) {
        return reader.error();
    }
    auto replication = open_replication(request);
    if (!replication.has_value()) {
        return replication.error();
    }
    auto slot = source::create_temporary_slot(*replication, request.slot);
    if (!slot.has_value()) {
        return slot.error();
    }
    if (auto begun = source::begin_copying(*reader, slot->snapshot_name, table);
        !begun.has_value()) {
        return begun.error();
    }
    if (auto dropped = source::drop_temporary_slot(*replication, request.slot);
        !dropped.has_value()) {
        return dropped.error();
    }
    auto fingerprint = check_unchanged(request, catalogue, table);
    if (!fingerprint.has_value()) {
        return fingerprint.error();
    }
    return TableAtPoint{std::move(*reader), slot->consistent_point, std::move(*fingerprint)};
}

}  // namespace veer::storage::sync
