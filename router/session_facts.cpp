#include "router/session_facts.hpp"

#include "router/expression_index.hpp"
#include "router/rewrite.hpp"
#include "router/route.hpp"
#include "storage/partitions.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace veer::router {

namespace {

/// Order of the select list.
enum Field : std::size_t {
    fingerprint,
    permitted,
    row_security,
    table_visible,
    operator_visible,
    type_visible,
    wrote,
    isolation,
    index_scans,
    float_digits,
    ef_search,
    veer_route,
    veer_key,
    extension_schema,
    idle_session_timeout,
    idle_in_transaction_timeout,
    statement_timeout,
    token,
    role,
    application,
    copied_fingerprint,
    copied_privileges,
    comparisons_hold,
    veer_freshness,
    client_encoding,
    standard_strings,
    ef_is_set,
    timeline,
    field_count,
    index_predicates = field_count  ///< where the route's index is partial
};

std::vector<std::int16_t> attnums(
    const storage::Table& table, const std::vector<std::size_t>& positions
) {
    std::vector<std::int16_t> numbers;
    numbers.reserve(positions.size());
    for (const std::size_t position : positions) {
        numbers.push_back(table.columns[position].attnum);
    }
    return numbers;
}

/// attnums of the columns whose definitions the copy depends on, in the order of
/// Table::fingerprint.
std::vector<std::int16_t> watched_columns(const storage::Table& table) {
    std::vector<std::int16_t> watched = attnums(table, table.key);
    for (const std::int16_t vector : attnums(table, table.vectors)) {
        watched.push_back(vector);
    }
    return watched;
}

std::string join(const std::vector<std::int16_t>& numbers) {
    std::string list;
    for (const std::int16_t number : numbers) {
        list += (list.empty() ? "" : ",") + std::to_string(number);
    }
    return list;
}

/// As storage makes Table::fingerprint, and Table::copied_fingerprint.
std::string fingerprint_of(const storage::Table& table, const std::vector<std::int16_t>& columns) {
    const std::string attnums = "'{" + join(columns) + "}'::pg_catalog.int2[]";
    const std::string in_order =
        ", '' ORDER BY pg_catalog.array_position(" + attnums + ", a.attnum))";
    return "(SELECT pg_catalog.concat(pg_catalog.string_agg(" +
           std::string(storage::fingerprint_version_sql) + in_order + ", '|', " +
           std::string(storage::is_partitioned(table) ? "f.file" : storage::fingerprint_file_sql) +
           ", '|', pg_catalog.string_agg(" + std::string(storage::fingerprint_definition_sql) +
           in_order +
           ") FROM pg_catalog.pg_attribute a"
           " WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid"
           " AND a.attnum OPERATOR(pg_catalog.=) ANY (" +
           attnums + "))";
}

/// Arrays and jsonb have operators of their own, some of which extensions have, too (intarray).
bool has_containers(const storage::Table& table) {
    return std::any_of(table.copied.begin(), table.copied.end(), [&](std::size_t position) {
        const auto type = storage::column_type(table.columns[position].type_oid);
        return type == storage::ColumnType::jsonb || (type && storage::element_type(*type));
    });
}

/// Three fields: of the copied columns their fingerprint, which the role may read, and whether
/// veer compares their values as Postgres does. For that all operators of these names on these
/// types must be Postgres' own, in whatever schema: which of several an expression means depends
/// on the types of both sides.
std::string copied_facts(const storage::Table& table) {
    if (table.copied.empty()) {
        return ", NULL, NULL, false";
    }
    const std::vector<std::int16_t> copied = attnums(table, table.copied);
    const bool contains = has_containers(table);
    // A function has at most 100 arguments, a table 1,600 columns.
    const std::string privileges =
        "(SELECT pg_catalog.string_agg(CASE WHEN pg_catalog.has_column_privilege(c.oid, k.number, "
        "'SELECT') THEN 't' ELSE 'f' END, '' ORDER BY k.place) FROM pg_catalog.unnest('{" +
        join(copied) + "}'::pg_catalog.int2[]) WITH ORDINALITY AS k(number, place))";
    return ", " + fingerprint_of(table, copied) + ", " + privileges +
           ", pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.=) 'UTF8'"
           " AND pg_catalog.pg_type_is_visible(16) AND pg_catalog.pg_type_is_visible(20)"
           " AND pg_catalog.pg_type_is_visible(21) AND pg_catalog.pg_type_is_visible(23)"
           " AND pg_catalog.pg_type_is_visible(25) AND pg_catalog.pg_type_is_visible(1043)"
           " AND pg_catalog.pg_type_is_visible(1082) AND pg_catalog.pg_type_is_visible(1114)"
           " AND pg_catalog.pg_type_is_visible(1184) AND pg_catalog.pg_type_is_visible(2950)" +
           (contains ? " AND pg_catalog.pg_type_is_visible(3802)" : "") +
           " AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator p WHERE p.oprname"
           " OPERATOR(pg_catalog.=) ANY ('{=,<>,<,<=,>,>=" +
           (contains ? ",->>,@>,<@,&&" : "") +
           "}'::pg_catalog.name[])"
           " AND '{16,20,21,23,25,1043,1082,1114,1184,2950" +
           (contains ? ",1007,1009,1016,2277,3802" : "") +
           "}'::pg_catalog.oid[]"
           " OPERATOR(pg_catalog.&&) ARRAY[p.oprleft, p.oprright]"
           " AND p.oprnamespace OPERATOR(pg_catalog.<>) 11)"
           " AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_collation k"
           " ON k.oid OPERATOR(pg_catalog.=) a.attcollation"
           " WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid"
           " AND a.attnum OPERATOR(pg_catalog.=) ANY ('{" +
           join(copied) + "}'::pg_catalog.int2[]) AND NOT k.collisdeterministic)";
}

/// OFFSET 0: looked at once, though two fingerprints name it.
std::string partitions() {
    return " CROSS JOIN LATERAL (SELECT " + storage::fingerprint_tree_sql() +
           " AS file OFFSET 0) AS f";
}

bool is_true(const std::optional<std::string_view>& field) {
    return field == "t" || field == "on";
}

template <class Number>
Number number_or(const std::optional<std::string_view>& field, Number otherwise) {
    Number value = otherwise;
    if (field) {
        std::from_chars(field->data(), field->data() + field->size(), value);
    }
    return value;
}

/// The largest of the numbers between the spaces.
std::uint32_t largest_or(const std::optional<std::string_view>& field, std::uint32_t otherwise) {
    std::uint32_t largest = 0;
    std::string_view rest = field.value_or("");
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        largest = std::max(largest, number_or<std::uint32_t>(rest.substr(0, end), 0));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return largest == 0 ? otherwise : largest;
}

/// A duration as SHOW gives it: a whole number and ms, s, min, h or d; "0" is no timeout (manual
/// 20.1.1).
std::int64_t timeout_or_none(const std::optional<std::string_view>& field) {
    constexpr std::int64_t millisecond = 1'000'000;
    constexpr std::pair<std::string_view, std::int64_t> units[] = {
        {"ms", millisecond},
        {"s", 1000 * millisecond},
        {"min", 60'000 * millisecond},
        {"h", 3'600'000 * millisecond},
        {"d", 86'400'000 * millisecond}};
    const auto value = number_or<std::int32_t>(field, 0);
    if (value <= 0) {
        return no_timeout_ns;
    }
    std::string_view unit = *field;
    unit.remove_prefix(std::min(unit.find_first_not_of("0123456789"), unit.size()));
    for (const auto& [name, nanoseconds] : units) {
        if (unit == name) {
            return value * nanoseconds;
        }
    }
    return millisecond;  // not understood: the most careful reading
}

/// Eight hexadecimal digits, with which the names of WAL segments begin; NULL on a standby.
constexpr const char* timeline_expression =
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.\"left\"("
    "pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8) END";

std::uint32_t timeline_of(const std::optional<std::string_view>& field) {
    constexpr int hexadecimal = 16;
    std::uint32_t value = 0;
    if (field) {
        std::from_chars(field->data(), field->data() + field->size(), value, hexadecimal);
    }
    return value;
}

/// Before pgvector's library is loaded, the setting is there only where somebody has set it, and
/// not among pg_settings, which take Postgres half a millisecond: it reads them only where it must.
constexpr const char* ef_is_set_expression =
    "(NULLIF(pg_catalog.current_setting('hnsw.ef_search', true), '') IS NOT NULL"
    " AND (pg_catalog.current_setting('hnsw.ef_search', true) OPERATOR(pg_catalog.<>) '40'"
    " OR NOT EXISTS (SELECT FROM pg_catalog.pg_settings s WHERE s.name OPERATOR(pg_catalog.=)"
    " 'hnsw.ef_search' AND s.source OPERATOR(pg_catalog.=) 'default')))";

}  // namespace

std::string facts_query(const Route& route, std::string_view database) {
    const storage::Table& table = route.table();
    const std::vector<std::int16_t> watched = watched_columns(table);
    std::string privileges = "pg_catalog.has_schema_privilege(n.oid, 'USAGE')";
    for (const std::int16_t attnum : watched) {
        privileges += " AND pg_catalog.has_column_privilege(c.oid, " + std::to_string(attnum) +
                      "::pg_catalog.int2, 'SELECT')";
    }
    // As for any function: an operator is called by who may execute its function.
    const std::string operator_oid = std::to_string(route.column.ann.operator_oid);
    privileges +=
        " AND (SELECT pg_catalog.has_function_privilege(o.oprcode, 'EXECUTE')"
        " AND pg_catalog.has_schema_privilege(o.oprnamespace, 'USAGE')"
        " FROM pg_catalog.pg_operator o WHERE o.oid OPERATOR(pg_catalog.=) " +
        operator_oid + ")";
    const std::string type = std::to_string(route.vector_type());
    return "SELECT " + fingerprint_of(table, watched) + ", " + privileges +
           ", pg_catalog.row_security_active(c.oid), pg_catalog.pg_table_is_visible(c.oid)"
           ", pg_catalog.pg_operator_is_visible(" +
           operator_oid + "), pg_catalog.pg_type_is_visible(" + type +
           "), pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL"
           ", pg_catalog.current_setting('transaction_isolation')"
           ", pg_catalog.current_setting('enable_indexscan')"
           ", pg_catalog.current_setting('extra_float_digits')"
           ", pg_catalog.concat_ws(' ', pg_catalog.current_setting('hnsw.ef_search', true)"
           ", pg_catalog.current_setting('ruvector.ef_search', true)"
           // Probes are lists: of one, pgvector's hnsw would still look at 40 nodes.
           ", CASE WHEN pg_catalog.current_setting('ruvector.probes', true) "
           "OPERATOR(pg_catalog.<>) ''"
           " THEN pg_catalog.concat(pg_catalog.current_setting('ruvector.probes', true), ' 40') END"
           ", pg_catalog.current_setting('vectors.hnsw_ef_search', true))"
           ", pg_catalog.current_setting('veer.route', true)"
           ", pg_catalog.current_setting('veer.key', true)"
           ", (SELECT x.nspname FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace x"
           " ON x.oid OPERATOR(pg_catalog.=) o.oprnamespace WHERE o.oid OPERATOR(pg_catalog.=) " +
           operator_oid +
           ")"
           ", pg_catalog.current_setting('idle_session_timeout', true)"
           ", pg_catalog.current_setting('idle_in_transaction_session_timeout')"
           ", pg_catalog.current_setting('statement_timeout')"
           ", " +
           std::string(token_expression) +
           ", CURRENT_USER, pg_catalog.current_setting('application_name')" + copied_facts(table) +
           ", pg_catalog.current_setting('veer.freshness', true)"
           ", pg_catalog.current_setting('client_encoding')"
           ", pg_catalog.current_setting('standard_conforming_strings'), " +
           (route.recall_target ? ef_is_set_expression : "false") + ", " + timeline_expression +
           (route.column.ann.partial
                ? predicates_field(route.vector_column().attnum, route.column.ann.operator_oid)
                : std::string()) +
           " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
           " ON n.oid OPERATOR(pg_catalog.=) c.relnamespace" +
           (storage::is_partitioned(table) ? partitions() : std::string()) +
           " WHERE c.oid OPERATOR(pg_catalog.=) " + std::to_string(table.oid.value) +
           " AND c.relname OPERATOR(pg_catalog.=) " + escaped_literal(table.name) +
           " AND n.nspname OPERATOR(pg_catalog.=) " + escaped_literal(table.schema) +
           (storage::is_partitioned(table)
                ? " AND c.relkind OPERATOR(pg_catalog.=) 'p'"
                : " AND c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT c.relhassubclass") +
           // Before its own schema nothing is looked up but temporary relations and types.
           " AND 'pg_catalog' OPERATOR(pg_catalog.=) ANY ((pg_catalog.current_schemas(true))[1:"
           "CASE WHEN (pg_catalog.current_schemas(true))[1] OPERATOR(pg_catalog.~) '^pg_temp_'"
           " THEN 2 ELSE 1 END])"
           " AND pg_catalog.current_database() OPERATOR(pg_catalog.=) " +
           escaped_literal(database);
}

std::string joined_condition(const parser::NearestNeighbourQuery& query) {
    std::string indexed = expression_condition(query);
    if (query.joined.empty()) {
        return indexed;
    }
    std::string tables;
    for (const parser::JoinedTable& joined : query.joined) {
        // Not by to_regclass(), which raises an error of a schema that the role may not use.
        tables +=
            " AND EXISTS (SELECT FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace s"
            " ON s.oid OPERATOR(pg_catalog.=) r.relnamespace"
            " WHERE r.relname OPERATOR(pg_catalog.=) " +
            escaped_literal(joined.table) + " AND " +
            (joined.schema ? "s.nspname OPERATOR(pg_catalog.=) " + escaped_literal(*joined.schema)
                           : std::string("pg_catalog.pg_table_is_visible(r.oid)")) +
            " AND r.relkind OPERATOR(pg_catalog.=)"
            " ANY ('{r,p,m}'::pg_catalog.\"char\"[]))";
    }
    return tables + indexed;
}

std::optional<SessionFacts> decode_facts(
    const Route& route, const std::vector<std::optional<std::string_view>>& row
) {
    const bool partial = route.column.ann.partial;
    if (row.size() != field_count + (partial ? 1U : 0U) || !row[token]) {
        return std::nullopt;
    }
    constexpr std::uint32_t ef_search_max = 1000;  // pgvector's
    SessionFacts facts;
    facts.table_unchanged =
        row[fingerprint] && storage::same_values(*row[fingerprint], route.table().fingerprint);
    facts.permitted = is_true(row[permitted]);
    facts.row_security = !(row[row_security] == "f");
    facts.table_visible = is_true(row[table_visible]);
    facts.operator_visible = is_true(row[operator_visible]);
    facts.type_visible = is_true(row[type_visible]);
    facts.wrote = !(row[wrote] == "f");
    facts.read_committed = row[isolation] == "read committed";
    facts.index_scans = is_true(row[index_scans]);
    facts.shortest_floats = number_or<int>(row[float_digits], 0) >= 1;
    // Before its library is loaded, Postgres takes any number for it.
    facts.ef_search = std::min(largest_or(row[ef_search], facts.ef_search), ef_search_max);
    facts.ef_is_set = is_true(row[ef_is_set]);
    facts.route = row[veer_route].value_or("");
    facts.key = row[veer_key].value_or("");
    facts.role = row[role].value_or("");
    facts.application = row[application].value_or("");
    facts.copies_hold =
        row[copied_fingerprint] && is_true(row[comparisons_hold]) &&
        storage::same_values(*row[copied_fingerprint], route.table().copied_fingerprint);
    facts.copies_readable = row[copied_privileges].value_or("");
    facts.freshness = row[veer_freshness].value_or("");
    facts.utf8 = row[client_encoding] == "UTF8" && is_true(row[standard_strings]);
    facts.extension_schema = row[extension_schema].value_or("");
    facts.idle_timeout_ns = std::min(
        timeout_or_none(row[idle_session_timeout]),
        timeout_or_none(row[idle_in_transaction_timeout])
    );
    facts.statement_timeout_ns = timeout_or_none(row[statement_timeout]);
    facts.token = read_token(*row[token]);
    facts.timeline = timeline_of(row[timeline]);
    if (partial) {
        facts.indexed_rows = decode_predicates(row[index_predicates], route.table());
        if (!facts.copies_hold) {
            facts.indexed_rows.parts.clear();  // an operator's name may mean another
        }
    }
    return facts;
}

storage::Lsn read_token(std::string_view text) {
    constexpr std::uint32_t wal_block_size = 8192;
    constexpr std::uint32_t wal_segment_size = 16U * 1024 * 1024;
    return storage::normalise_insert_lsn(
        storage::parse_lsn(std::string(text)), wal_block_size, wal_segment_size
    );
}

}  // namespace veer::router
