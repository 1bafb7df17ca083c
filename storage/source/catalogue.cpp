#include "storage/source/catalogue.hpp"

#include "storage/partitions.hpp"
#include "storage/source/discover.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace veer::storage::source {

namespace {

// One snapshot for all statements, so that a DDL between two of them is seen by both or by none.
constexpr const char* begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

constexpr const char* upstream_query = R"(
    SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system()), pg_catalog.current_database(),
           current_user)";

/// OIDs of the tables with an index of pgvector's of their own, and of those with a declared one.
std::string wanted_tables(const Connection& connection, const ColumnChoices& choices) {
    // An index of a partitioned table is one of each partition, too: these are the root's.
    std::string sql = R"((SELECT v.indrelid FROM pg_catalog.pg_index v
                            JOIN pg_catalog.pg_class x ON x.oid = v.indexrelid
                            JOIN pg_catalog.pg_am m ON m.oid = x.relam
                           WHERE m.amname IN ('hnsw', 'ivfflat')
                             AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h
                                              WHERE h.inhrelid = v.indexrelid))";
    if (!choices.declared.empty()) {
        sql +=
            " UNION ALL SELECT d.oid FROM pg_catalog.pg_class d JOIN pg_catalog.pg_namespace s"
            " ON s.oid = d.relnamespace WHERE (s.nspname, d.relname) IN (";
        const char* separator = "(";
        for (const DeclaredIndex& declared : choices.declared) {
            sql += separator + connection.quote_literal(declared.schema) + ", " +
                   connection.quote_literal(declared.table) + ")";
            separator = ", (";
        }
        sql += ")";
    }
    return sql + ")";
}

constexpr const char* table_query_head = R"(
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident,
           CASE c.relkind WHEN 'p' THEN
               (SELECT sum(e.reltuples) FILTER (WHERE e.reltuples > 0)
                  FROM pg_catalog.pg_partition_tree(c.oid) t
                  JOIN pg_catalog.pg_class e ON e.oid = t.relid WHERE t.isleaf)
               ELSE c.reltuples END,
           c.relispartition,
           EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid),
           c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
               AND (c.relforcerowsecurity OR NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')),
           pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
           o.name, o.relkind, o.relpersistence, o.relreplident, )";

constexpr const char* table_query_tail = R"(
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_roles r ON r.rolname = current_user
      LEFT JOIN LATERAL (
               SELECT pg_catalog.format('%I.%I', s.nspname, l.relname) AS name,
                      l.relkind, l.relpersistence, l.relreplident
                 FROM pg_catalog.pg_partition_tree(c.oid) t
                 JOIN pg_catalog.pg_class l ON l.oid = t.relid
                 JOIN pg_catalog.pg_namespace s ON s.oid = l.relnamespace
                WHERE t.isleaf AND (l.relkind <> 'r' OR l.relpersistence <> 'p'
                                    OR l.relreplident NOT IN ('d', 'f'))
                ORDER BY l.oid LIMIT 1) o ON c.relkind = 'p' )";

/// OFFSET 0: the list is made once, so that list and digest are the same.
std::string table_query(const std::string& tables) {
    return std::string{table_query_head}
        .append("CASE c.relkind WHEN 'p' THEN ")
        .append(fingerprint_tree_sql("w.list"))
        .append(" ELSE ")
        .append(fingerprint_file_sql)
        .append(" END, w.list")
        .append(table_query_tail)
        .append("LEFT JOIN LATERAL (SELECT ")
        .append(partition_list_sql)
        .append(" AS list OFFSET 0) w ON c.relkind = 'p' WHERE c.oid IN ")
        .append(tables)
        .append(" ORDER BY c.oid");
}

constexpr const char* column_query_tail = R"(, a.attgenerated <> '',
           pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
           COALESCE((SELECT l.collisdeterministic FROM pg_catalog.pg_collation l
                      WHERE l.oid = a.attcollation), true)
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     WHERE a.attnum > 0 AND NOT a.attisdropped
       AND a.attrelid IN )";

std::string column_query(const std::string& tables) {
    return std::string{
        "SELECT a.attrelid, a.attname, a.attnum, a.atttypid, t.typlen, "
        "a.atttypmod, a.attnotnull, t.typname, "}
        .append(fingerprint_version_sql)
        .append(", ")
        .append(fingerprint_definition_sql)
        .append(column_query_tail)
        .append(tables)
        .append(" ORDER BY a.attrelid, a.attnum");
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
       AND i.indrelid IN )";

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

// Whose name pgvector's operators have, others have, too: the extension tells.
constexpr const char* operator_query = R"(
    SELECT o.oprname, o.oid, o.oprleft, t.typname
      FROM pg_catalog.pg_operator o
      JOIN pg_catalog.pg_type t ON t.oid = o.oprleft
       AND t.typname IN ('vector', 'halfvec', 'bit', 'sparsevec')
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass
                                 AND d.objid = o.oid AND d.deptype = 'e'
      JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'vector'
     WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
       AND o.oprright = o.oprleft AND o.oprname IN ('<->', '<=>', '<#>', '<+>', '<~>', '<%>'))";

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
        const std::string estimate = rows.is_null(row, 6) ? "" : rows.text(row, 6);
        std::from_chars(estimate.data(), estimate.data() + estimate.size(), facts.estimated_rows);
        facts.is_partition = rows.boolean(row, 7);
        facts.has_children = rows.boolean(row, 8);
        facts.rows_hidden = rows.boolean(row, 9);
        facts.schema_usable = rows.boolean(row, 10);
        if (!rows.is_null(row, 11)) {
            facts.odd_partition = OddPartition{
                rows.text(row, 11),
                rows.text(row, 12).front(),
                rows.text(row, 13).front(),
                rows.text(row, 14).front()};
        }
        facts.file = rows.text(row, 15);
        facts.partitions = parse_partitions(rows.is_null(row, 16) ? "" : rows.text(row, 16));
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
        const auto input = inputs.find(oid(rows, row, 0));
        if (input == inputs.end()) {  // a partition's
            continue;
        }
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
        input->second.indexes.push_back(std::move(facts));
    }
}

Result<std::vector<OperatorFacts>> read_operators(Connection& connection) {
    auto found = connection.query(operator_query);
    if (!found.has_value()) {
        return found.error();
    }
    std::vector<OperatorFacts> operators;
    operators.reserve(static_cast<std::size_t>(found->size()));
    for (int row = 0; row < found->size(); ++row) {
        operators.push_back(
            {found->text(row, 0), oid(*found, row, 1), oid(*found, row, 2), found->text(row, 3)}
        );
    }
    return operators;
}

/// Declared tables that there are none of. A plain route may be there for later.
void refuse_absent(const Inputs& inputs, const ColumnChoices& choices, Catalogue& catalogue) {
    for (const DeclaredIndex& declared : choices.declared) {
        const bool exists = std::any_of(inputs.begin(), inputs.end(), [&](const auto& input) {
            const TableFacts& facts = input.second.facts;
            return facts.schema == declared.schema && facts.name == declared.table;
        });
        if (!exists && !declared.is_plain()) {
            catalogue.refused.push_back(
                {declared.schema + "." + declared.table, "there is no such table"}
            );
        }
    }
}

Result<Inputs> read_inputs(Connection& connection, const ColumnChoices& choices) {
    const std::string wanted = wanted_tables(connection, choices);
    auto tables = connection.query(table_query(wanted));
    if (!tables.has_value()) {
        return tables.error();
    }
    auto columns = connection.query(column_query(wanted));
    if (!columns.has_value()) {
        return columns.error();
    }
    auto identities = connection.query(identity_query + wanted + " ORDER BY i.indrelid, k.place");
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
    if (choices.declared.empty()) {
        return inputs;
    }
    auto operators = read_operators(connection);
    if (!operators.has_value()) {
        return operators.error();
    }
    for (auto& [table, input] : inputs) {
        input.operators = *operators;
    }
    return inputs;
}

}  // namespace

Result<Catalogue> discover(Connection& connection, const ColumnChoices& wanted) {
    const ColumnChoices choices = wanted.as_of_now();
    if (auto begun = connection.query(begin); !begun.has_value()) {
        return begun.error();
    }
    Catalogue catalogue;
    auto upstream = connection.query(upstream_query);
    Result<Inputs> inputs =
        upstream.has_value() ? read_inputs(connection, choices) : upstream.error();
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
    refuse_absent(*inputs, choices, catalogue);
    return catalogue;
}

}  // namespace veer::storage::source
