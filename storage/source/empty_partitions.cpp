#include "storage/source/empty_partitions.hpp"

#include "storage/source/slot.hpp"

namespace veer::storage::source {

namespace {

constexpr std::size_t asked_max = 100;

// Rows that a policy hides would be an error then. A lock is not worth waiting for.
constexpr const char* begin =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL row_security = off;"
    " SET LOCAL lock_timeout = '100ms'";

/// The transaction's snapshot is as of this statement.
Result<bool> still_listed(Connection& connection, TableOid table, const PartitionList& listed) {
    auto now = connection.query(
        std::string{"SELECT "}
            .append(partition_list_sql)
            .append(" FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) ")
            .append(std::to_string(table.value))
    );
    if (!now.has_value()) {
        return now.error();
    }
    return now->size() == 1 && !now->is_null(0, 0) && parse_partitions(now->text(0, 0)) == listed;
}

Result<std::string> name_of(Connection& connection, TableOid partition) {
    auto name = connection.query(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE c.oid OPERATOR(pg_catalog.=) " +
        std::to_string(partition.value)
    );
    if (!name.has_value()) {
        return name.error();
    }
    return name->size() == 1 ? name->text(0, 0) : std::string{};
}

/// A name may have become another table's: under the lock it is one and the same.
Result<bool> is_empty(Connection& connection, TableOid partition, const std::string& name) {
    auto locked = connection.query("LOCK TABLE ONLY " + name + " IN ACCESS SHARE MODE");
    if (!locked.has_value()) {
        return locked.error();
    }
    auto rows = connection.query(
        "SELECT EXISTS (SELECT FROM ONLY " + name + ") OR " + connection.quote_literal(name) +
        "::pg_catalog.regclass::pg_catalog.oid OPERATOR(pg_catalog.<>) " +
        std::to_string(partition.value)
    );
    return rows.has_value() ? Result<bool>{!rows->boolean(0, 0)} : rows.error();
}

/// Fails where the connection is lost; what the server refuses is not empty.
Result<bool> look(Connection& connection, TableOid partition) {
    auto name = name_of(connection, partition);
    if (!name.has_value() || name->empty()) {
        return name.has_value() ? Result<bool>{false} : name.error();
    }
    if (auto saved = connection.query("SAVEPOINT look"); !saved.has_value()) {
        return saved.error();
    }
    auto empty = is_empty(connection, partition, *name);
    if (empty.has_value()) {
        return empty;
    }
    if (connection.sqlstate().empty()) {
        return empty.error();
    }
    auto back = connection.query("ROLLBACK TO SAVEPOINT look");
    return back.has_value() ? Result<bool>{false} : back.error();
}

}  // namespace

Result<std::optional<EmptyPartitions>> find_empty(
    Connection& connection,
    TableOid table,
    const PartitionList& listed,
    const std::set<TableOid>& asked
) {
    EmptyPartitions empty;
    if (asked.empty() || asked.size() > asked_max) {
        return std::optional{empty};
    }
    if (auto begun = connection.query(begin); !begun.has_value()) {
        return begun.error();
    }
    auto same = still_listed(connection, table, listed);
    for (auto partition = asked.begin(); partition != asked.end() && same.has_value() && *same;
         ++partition) {
        auto found = look(connection, *partition);
        if (!found.has_value()) {
            same = found.error();
        } else if (*found) {
            empty[*partition].state = listed.at(*partition);
        }
    }
    auto ended = connection.query("COMMIT");
    if (!same.has_value()) {
        return same.error();
    }
    // Who is in the snapshot has committed before this is asked for.
    auto since = ended.has_value() ? insert_end(connection) : ended.error();
    if (!since.has_value()) {
        return since.error();
    }
    for (auto& [partition, found] : empty) {
        found.since = *since;
    }
    return *same ? std::optional{std::move(empty)} : std::nullopt;
}

}  // namespace veer::storage::source
