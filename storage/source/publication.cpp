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
    std::size_t published = 0;
    std::string fingerprint;
    for (int row = 0; row < rows->size(); ++row) {
        const auto wanted = std::any_of(tables.begin(), tables.end(), [&](const Table& table) {
            return std::int64_t{table.oid.value} == rows->integer(row, 4);
        });
        if (!wanted) {
            continue;
        }
        if (!rows->boolean(row, 5)) {
            return std::optional<std::string>{};
        }
        ++published;
        for (int column = 0; column < 4; ++column) {
            fingerprint += rows->text(row, column) + (column == 3 ? ";" : ":");
        }
    }
    return published == tables.size() ? std::optional{fingerprint} : std::optional<std::string>{};
}

bool continues_publication(const std::string& before, const std::string& now) {
    for (std::size_t from = 0; from < now.size();) {
        const std::size_t end = now.find(';', from);
        if (end == std::string::npos ||
            (";" + before).find(";" + now.substr(from, end + 1 - from)) == std::string::npos) {
            return false;
        }
        from = end + 1;
    }
    return true;
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
    for (int row = 0; row < rows->size(); ++row) {
        auto left = connection.query(
            "SET lock_timeout = '2s'; ALTER PUBLICATION " + connection.quote_identifier(name) +
            " DROP TABLE ONLY " + rows->text(row, 0) + "; SET lock_timeout = 0"
        );
        if (!left.has_value()) {
            return left.error();
        }
    }
    return {};
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
