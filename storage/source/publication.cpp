#include "storage/source/publication.hpp"

#include <algorithm>

namespace veer::storage::source {

namespace {

std::string create_statement(
    const Connection& connection, const std::string& name, const std::vector<Table>& tables
) {
    std::string sql = "CREATE PUBLICATION " + connection.quote_identifier(name) + " FOR TABLE ";
    const char* separator = "";
    for (const Table& table : tables) {
        sql += separator;
        sql += "ONLY " + connection.quote_identifier(table.schema) + "." +
               connection.quote_identifier(table.name);
        separator = ", ";
    }
    return sql;
}

}  // namespace

Result<std::optional<std::string>> publication_fingerprint(
    Connection& connection, const std::string& name, const std::vector<Table>& tables
) {
    // One row a table; no row for a publication that leaves out a kind of change or is FOR ALL
    // TABLES.
    auto rows = connection.query(
        "SELECT p.oid, p.xmin, r.oid, r.xmin, r.prrelid, r.prqual IS NULL AND r.prattrs IS NULL "
        "  FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid = "
        "p.oid "
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
    std::vector<std::int64_t> wanted;
    wanted.reserve(tables.size());
    for (const Table& table : tables) {
        wanted.push_back(table.oid.value);
    }
    std::sort(wanted.begin(), wanted.end());
    std::vector<std::int64_t> published;
    std::string fingerprint;
    for (int row = 0; row < rows->size(); ++row) {
        published.push_back(rows->integer(row, 4));
        if (!rows->boolean(row, 5)) {
            return std::optional<std::string>{};
        }
        for (int column = 0; column < 4; ++column) {
            fingerprint += rows->text(row, column) + (column == 3 ? ";" : ":");
        }
    }
    return published == wanted ? std::optional{fingerprint} : std::optional<std::string>{};
}

Result<std::string> ensure_publication(
    Connection& connection, const std::string& name, const std::vector<Table>& tables
) {
    auto found = publication_fingerprint(connection, name, tables);
    if (!found.has_value()) {
        return found.error();
    }
    if (found->has_value()) {
        return **found;
    }
    auto dropped = drop_publication(connection, name);
    if (!dropped.has_value() && dropped.error().code != Errc::not_permitted) {
        return dropped.error();
    }
    const std::string statement = create_statement(connection, name, tables);
    auto created =
        connection.query("SET lock_timeout = '10s'; " + statement + "; SET lock_timeout = 0");
    if (!created.has_value() && created.error().code == Errc::not_permitted) {
        return Error{
            Errc::not_permitted,
            "Veer's role may not create a publication, which needs CREATE on the database and "
            "ownership of the tables; let their owner run: " +
                statement + "; " + created.error().message};
    }
    if (!created.has_value()) {
        return created.error();
    }
    auto made = publication_fingerprint(connection, name, tables);
    if (!made.has_value()) {
        return made.error();
    }
    if (!made->has_value()) {
        return Error{
            Errc::connection, "The publication " + name + " was changed while it was made."};
    }
    return **made;
}

Result<void> drop_publication(Connection& connection, const std::string& name) {
    auto dropped =
        connection.query("DROP PUBLICATION IF EXISTS " + connection.quote_identifier(name));
    return dropped.has_value() ? Result<void>{} : Result<void>{dropped.error()};
}

}  // namespace veer::storage::source
