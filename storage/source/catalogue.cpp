#include "storage/source/catalogue.hpp"

#include "storage/source/discover.hpp"

#include <charconv>
#include <map>

namespace veer::storage::source {

namespace {

// One snapshot for all statements, so that a DDL between two of them is seen by both or by none.
constexpr const char* begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

constexpr const char* upstream_query = R"(
    SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system()), pg_catalog.current_database(),
           current_user)";

constexpr const char* table_query = R"(
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident, c.reltuples,
           c.relispartition,
           EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid),
           c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
               AND (c.relforcerowsecurity OR NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')),
           pg_catalog.has_schema_privilege(n.oid, 'USAGE'), c.relfilenode
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_roles r ON r.rolname = current_user
     WHERE c.oid IN (SELECT i.indrelid FROM pg_catalog.pg_index i
                       JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                       JOIN pg_catalog.pg_am m ON m.oid = x.relam
                      WHERE m.amname IN ('hnsw', 'ivfflat'))
     ORDER BY c.oid)";

constexpr const char* column_query_tail = R"(, a.attgenerated <> '',
           pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
           COALESCE((SELECT l.collisdeterministic FROM pg_catalog.pg_collation l
                      WHERE l.oid = a.attcollation), true)
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     WHERE a.attnum > 0 AND NOT a.attisdropped
       AND a.attrelid IN (SELECT i.indrelid FROM pg_catalog.pg_index i
                            JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                            JOIN pg_catalog.pg_am m ON m.oid = x.relam
                           WHERE m.amname IN ('hnsw', 'ivfflat'))
     ORDER BY a.attrelid, a.attnum)";

std::string column_query() {
    return std::string{
        "SELECT a.attrelid, a.attname, a.attnum, a.atttypid, t.typlen, "
        "a.atttypmod, a.attnotnull, t.typname, "}
        .append(fingerprint_version_sql)
        .append(", ")
        .append(fingerprint_definition_sql)
        .append(column_query_tail);
}

// A deferrable primary key is no replica identity (indimmediate).
constexpr const char* identity_query = R"(
    SELECT i.indrelid, k.attnum
      FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
     CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k(attnum, place)
     WHERE i.indisvalid AND i.indisunique AND i.indimmediate AND i.indpred IS NULL
       AND k.place <= i.indnkeyatts
       AND CASE c.relreplident WHEN 'i' THEN i.indisreplident ELSE i.indisprimary END
       AND i.indrelid IN (SELECT v.indrelid FROM pg_catalog.pg_index v
                            JOIN pg_catalog.pg_class x ON x.oid = v.indexrelid
                            JOIN pg_catalog.pg_am m ON m.oid = x.relam
                           WHERE m.amname IN ('hnsw', 'ivfflat'))
     ORDER BY i.indrelid, k.place)";

constexpr const char* index_query = R"(
    SELECT i.indrelid, x.relname, m.amname, i.indkey[0], i.indnatts,
           i.indisvalid AND i.indisready AND i.indislive, i.indpred IS NOT NULL, p.opcname, o.oprname, o.oid,
           (SELECT v.option_value FROM pg_catalog.pg_options_to_table(x.reloptions) v
             WHERE v.option_name = 'm'),
           (SELECT v.option_value FROM pg_catalog.pg_options_to_table(x.reloptions) v
             WHERE v.option_name = 'ef_construction')
      FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname IN ('hnsw', 'ivfflat')
      JOIN pg_catalog.pg_opclass p ON p.oid = i.indclass[0]
      JOIN pg_catalog.pg_amop f ON f.amopfamily = p.opcfamily AND f.amoppurpose = 'o'
      JOIN pg_catalog.pg_operator o ON o.oid = f.amopopr
     ORDER BY i.indrelid, i.indkey[0], x.relname)";

using Inputs = std::map<std::uint32_t, TableInput>;

std::uint32_t oid(const QueryResult& rows, int row, int column) {
    return static_cast<std::uint32_t>(rows.integer(row, column));
}

std::int16_t int2(const QueryResult& rows, int row, int column) {
    return static_cast<std::int16_t>(rows.integer(row, column));
}

Inputs read_tables(const QueryResult& rows) {
    Inputs inputs;
    for (int row = 0; row < rows.size(); ++row) {
        TableFacts facts;
        facts.oid = oid(rows, row, 0);
        facts.schema = rows.text(row, 1);
        facts.name = rows.text(row, 2);
        facts.kind = rows.text(row, 3).front();
        facts.persistence = rows.text(row, 4).front();
        facts.replica_identity = rows.text(row, 5).front();
        const std::string estimate = rows.text(row, 6);
        std::from_chars(estimate.data(), estimate.data() + estimate.size(), facts.estimated_rows);
        facts.is_partition = rows.boolean(row, 7);
        facts.has_children = rows.boolean(row, 8);
        facts.rows_hidden = rows.boolean(row, 9);
        facts.schema_usable = rows.boolean(row, 10);
        facts.file = rows.text(row, 11);
        inputs[facts.oid].facts = facts;
    }
    return inputs;
}

void read_columns(const QueryResult& rows, Inputs& inputs) {
    for (int row = 0; row < rows.size(); ++row) {
        ColumnFacts facts;
        facts.column.name = rows.text(row, 1);
        facts.column.attnum = int2(rows, row, 2);
        facts.column.type_oid = oid(rows, row, 3);
        facts.column.type_length = int2(rows, row, 4);
        facts.column.typmod = static_cast<std::int32_t>(rows.integer(row, 5));
        facts.column.not_null = rows.boolean(row, 6);
        facts.type_name = rows.text(row, 7);
        facts.version = rows.text(row, 8);
        facts.definition = rows.text(row, 9);
        facts.generated = rows.boolean(row, 10);
        facts.readable = rows.boolean(row, 11);
        facts.deterministic = rows.boolean(row, 12);
        inputs[oid(rows, row, 0)].columns.push_back(std::move(facts));
    }
}

void read_indexes(const QueryResult& rows, Inputs& inputs) {
    for (int row = 0; row < rows.size(); ++row) {
        IndexFacts facts;
        facts.name = rows.text(row, 1);
        facts.method = rows.text(row, 2);
        facts.attnum = int2(rows, row, 3);
        facts.column_count = int2(rows, row, 4);
        facts.valid = rows.boolean(row, 5);
        facts.partial = rows.boolean(row, 6);
        facts.operator_class = rows.text(row, 7);
        facts.operator_name = rows.text(row, 8);
        facts.operator_oid = oid(rows, row, 9);
        if (!rows.is_null(row, 10)) {
            facts.m = oid(rows, row, 10);
        }
        if (!rows.is_null(row, 11)) {
            facts.ef_construction = oid(rows, row, 11);
        }
        inputs[oid(rows, row, 0)].indexes.push_back(std::move(facts));
    }
}

Result<Inputs> read_inputs(Connection& connection) {
    auto tables = connection.query(table_query);
    if (!tables.has_value()) {
        return tables.error();
    }
    auto columns = connection.query(column_query());
    if (!columns.has_value()) {
        return columns.error();
    }
    auto identities = connection.query(identity_query);
    if (!identities.has_value()) {
        return identities.error();
    }
    auto indexes = connection.query(index_query);
    if (!indexes.has_value()) {
        return indexes.error();
    }
    Inputs inputs = read_tables(*tables);
    read_columns(*columns, inputs);
    for (int row = 0; row < identities->size(); ++row) {
        inputs[oid(*identities, row, 0)].identity.push_back(int2(*identities, row, 1));
    }
    read_indexes(*indexes, inputs);
    return inputs;
}

}  // namespace

Result<Catalogue> discover(Connection& connection, const ColumnChoices& choices) {
    if (auto begun = connection.query(begin); !begun.has_value()) {
        return begun.error();
    }
    Catalogue catalogue;
    auto upstream = connection.query(upstream_query);
    Result<Inputs> inputs = upstream.has_value() ? read_inputs(connection) : upstream.error();
    // Ends the transaction on failure, too, for the connection to be of use again.
    auto ended = connection.query("COMMIT");
    if (!inputs.has_value()) {
        return inputs.error();
    }
    if (!ended.has_value()) {
        return ended.error();
    }
    catalogue.system_id = upstream->text(0, 0);
    catalogue.database = upstream->text(0, 1);
    for (const auto& [oid, input] : *inputs) {
        judge(input, upstream->text(0, 2), catalogue, choices);
    }
    return catalogue;
}

}  // namespace veer::storage::source
