#include "storage/source/publication.hpp"

#include "storage/partitions.hpp"

#include <string_view>

namespace veer::storage::source {

namespace {

/// Else the changes of partitioned tables come as those of partitions that veer knows nothing of.
/// Of other tables it changes nothing.
constexpr std::string_view via_root = "publish_via_partition_root = true";

std::string table_name(const Connection& connection, const Table& table) {
    return "ONLY " + connection.quote_identifier(table.schema) + "." +
           connection.quote_identifier(table.name);
}

/// What an owner of all of them would say.
std::string create_statement(
    const Connection& connection, const std::string& name, const std::vector<Table>& tables
) {
    std::string sql = "CREATE PUBLICATION " + connection.quote_identifier(name) + " FOR TABLE ";
    const char* separator = "";
    for (const Table& table : tables) {
        sql += separator + table_name(connection, table);
        separator = ", ";
    }
    return sql + " WITH (" + std::string{via_root} + ")";
}

/// Waits for locks, but not for ever: who waits for one holds up everybody behind it.
Result<void> run_locking(Connection& connection, const std::string& statements) {
    auto done = connection.query("SET lock_timeout = '10s'; " + statements);
    auto reset = connection.query("SET lock_timeout = 0");
    if (!done.has_value()) {
        return done.error();
    }
    return reset.has_value() ? Result<void>{} : Result<void>{reset.error()};
}

Result<bool> is_via_root(Connection& connection, const std::string& name) {
    auto rows = connection.query(
        "SELECT FROM pg_catalog.pg_publication p WHERE p.pubviaroot AND p.pubname = " +
        connection.quote_literal(name)
    );
    return rows.has_value() ? Result<bool>{rows->size() > 0} : rows.error();
}

/// Before anything is copied: a publication that is altered later is another one to every table
/// that is in it. Who may not, can do without until a partitioned table comes.
Result<void> publish_via_root(Connection& connection, const std::string& name) {
    auto through_root = is_via_root(connection, name);
    if (!through_root.has_value() || *through_root) {
        return through_root.has_value() ? Result<void>{} : through_root.error();
    }
    auto altered = run_locking(
        connection,
        "ALTER PUBLICATION " + connection.quote_identifier(name) + " SET (" +
            std::string{via_root} + ")"
    );
    return !altered.has_value() && altered.error().code == Errc::not_permitted ? Result<void>{}
                                                                               : altered;
}

}  // namespace

Result<std::optional<Publication>> read_publication(
    Connection& connection, const std::string& name
) {
    // No row for a publication that leaves out a kind of change or is FOR ALL TABLES.
    auto rows = connection.query(
        "SELECT r.prrelid, p.oid, p.xmin, r.oid, r.xmin, r.prqual IS NULL AND r.prattrs IS NULL "
        "       AND (p.pubviaroot OR NOT EXISTS (SELECT FROM pg_catalog.pg_class c "
        "                                         WHERE c.oid = r.prrelid AND c.relkind = 'p')) "
        "  FROM pg_catalog.pg_publication p LEFT JOIN pg_catalog.pg_publication_rel r "
        "    ON r.prpubid = p.oid "
        " WHERE p.pubname = " +
        connection.quote_literal(name) +
        "   AND p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AND NOT "
        "p.puballtables "
        "   AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_namespace s WHERE s.pnpubid = "
        "p.oid) "
        " ORDER BY r.prrelid"
    );
    if (!rows.has_value()) {
        return rows.error();
    }
    if (rows->size() == 0) {
        return std::optional<Publication>{};
    }
    Publication publication;
    for (int row = 0; row < rows->size(); ++row) {
        if (rows->is_null(row, 0) || !rows->boolean(row, 5)) {
            continue;
        }
        std::string& versions = publication[{static_cast<std::uint32_t>(rows->integer(row, 0))}];
        for (int column = 1; column < 5; ++column) {
            versions += rows->text(row, column) + (column == 4 ? ";" : ":");
        }
    }
    return std::optional{std::move(publication)};
}

std::string fingerprint(const Publication& publication, const std::vector<Table>& tables) {
    std::string versions;
    for (const Table& table : tables) {
        const auto found = publication.find(table.oid);
        versions += found == publication.end() ? "" : found->second;
    }
    return versions;
}

bool continues_publication(
    const std::string& before, const Publication& publication, TableOid table
) {
    const auto found = publication.find(table);
    return found != publication.end() &&
           (";" + before).find(";" + found->second) != std::string::npos;
}

Result<void> leave_publication(
    Connection& connection, const std::string& name, const std::vector<Table>& kept
) {
    std::string oids = "0";
    for (const Table& table : kept) {
        oids += "," + std::to_string(table.oid.value);
    }
    auto rows = connection.query(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) "
        "  FROM pg_catalog.pg_publication p "
        "  JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid "
        "  JOIN pg_catalog.pg_class c ON c.oid = r.prrelid "
        "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        " WHERE p.pubname = " +
        connection.quote_literal(name) + " AND c.oid NOT IN (" + oids + ")"
    );
    if (!rows.has_value()) {
        return rows.error();
    }
    Result<void> all;
    for (int row = 0; row < rows->size(); ++row) {
        const std::string drop = "ALTER PUBLICATION " + connection.quote_identifier(name) +
                                 " DROP TABLE ONLY " + rows->text(row, 0);
        std::string patient =
            all.has_value() ? "SET lock_timeout = '2s'; " : "SET lock_timeout = '10ms'; ";
        patient.append(drop).append("; SET lock_timeout = 0");
        auto left = connection.query(patient);
        if (left.has_value()) {
            continue;
        }
        all = Error{
            left.error().code,
            "While it stays in veer's publication, " + rows->text(row, 0) +
                " cannot be updated where it has no key; veer tries again: " + drop + "; " +
                left.error().message};
        if (left.error().code == Errc::connection) {
            break;
        }
    }
    return all;
}

Result<void> ensure_publication(
    Connection& connection, const std::string& name, const std::vector<Table>& tables
) {
    auto found = read_publication(connection, name);
    if (!found.has_value()) {
        return found.error();
    }
    if (found->has_value()) {
        return publish_via_root(connection, name);
    }
    auto dropped = drop_publication(connection, name);
    if (!dropped.has_value() && dropped.error().code != Errc::not_permitted) {
        return dropped.error();
    }
    auto created = run_locking(
        connection,
        "CREATE PUBLICATION " + connection.quote_identifier(name) + " WITH (" +
            std::string{via_root} + ")"
    );
    if (!created.has_value() && created.error().code == Errc::not_permitted) {
        return Error{
            Errc::not_permitted,
            "Veer's role may not create a publication, which needs CREATE on the database and "
            "ownership of the tables; let their owner run: " +
                create_statement(connection, name, tables) + "; " + created.error().message};
    }
    return created;
}

Result<void> join_publication(Connection& connection, const std::string& name, const Table& table) {
    auto found = read_publication(connection, name);
    if (!found.has_value()) {
        return found.error();
    }
    if (found->has_value() && (*found)->contains(table.oid)) {
        return {};
    }
    const std::string alter = "ALTER PUBLICATION " + connection.quote_identifier(name);
    std::string add = alter + " ADD TABLE " + table_name(connection, table);
    if (is_partitioned(table)) {
        auto through_root = is_via_root(connection, name);
        if (!through_root.has_value()) {
            return through_root.error();
        }
        add = (*through_root ? "" : alter + " SET (" + std::string{via_root} + "); ") + add;
    }
    auto added = run_locking(connection, add);
    if (!added.has_value() && connection.sqlstate() == "42710") {  // a member, but in part only
        const std::string drop = alter + " DROP TABLE " + table_name(connection, table);
        added = run_locking(connection, drop + "; " + add);
    }
    if (!added.has_value() && added.error().code == Errc::not_permitted) {
        return Error{
            Errc::not_permitted,
            "Veer's role may not add the table to its publication; let their owner run: " + add +
                "; " + added.error().message};
    }
    return added;
}

Result<void> drop_publication(Connection& connection, const std::string& name) {
    auto dropped =
        connection.query("DROP PUBLICATION IF EXISTS " + connection.quote_identifier(name));
    return dropped.has_value() ? Result<void>{} : Result<void>{dropped.error()};
}

}  // namespace veer::storage::source
