#include "proxy/doctor.hpp"
#include "storage/source/slot.hpp"
#include "storage/source/tls_options.hpp"

#include <chrono>

// The statements behind veer doctor. Each only reads.

namespace veer::proxy {

namespace {

using storage::Result;
using storage::source::Connection;

/// Some of the catalogue's functions wait for the locks of a migration.
constexpr const char* settings =
    "SET default_transaction_read_only = on; SET lock_timeout = '2s'; SET statement_timeout = "
    "'10s'";

/// Above the server's own, so that its reason arrives first.
constexpr std::chrono::seconds answer_time_max{15};

constexpr const char* server_query = R"(
    SELECT current_user, pg_catalog.current_database(),
           coalesce(pg_catalog.host(pg_catalog.inet_server_addr()) || ':' || pg_catalog.inet_server_port(), ''),
           pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_version'),
           pg_catalog.pg_is_in_recovery(),
           coalesce((SELECT s.version FROM pg_catalog.pg_stat_ssl s
                      WHERE s.pid = pg_catalog.pg_backend_pid() AND s.ssl), ''),
           coalesce((SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'vector'), ''),
           coalesce((SELECT n.nspname FROM pg_catalog.pg_extension e
                       JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'), ''),
           coalesce((SELECT a.default_version FROM pg_catalog.pg_available_extensions a
                      WHERE a.name = 'vector'), ''))";

constexpr const char* feed_query = R"(
    SELECT coalesce(pg_catalog.current_setting('effective_wal_level', true),
                    pg_catalog.current_setting('wal_level')),
           (SELECT r.rolsuper OR r.rolreplication OR EXISTS (
                       SELECT FROM pg_catalog.pg_roles d WHERE d.rolname = 'rds_replication'
                          AND pg_catalog.pg_has_role(d.oid, 'MEMBER'))
              FROM pg_catalog.pg_roles r WHERE r.rolname = current_user),
           EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication'),
           pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
           (SELECT count(*) FROM pg_catalog.pg_replication_slots),
           pg_catalog.current_setting('max_replication_slots'),
           (SELECT count(*) FROM pg_catalog.pg_stat_replication),
           pg_catalog.current_setting('max_wal_senders'),
           (SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = 'max_slot_wal_keep_size'),
           coalesce((SELECT extract(epoch FROM max(pg_catalog.now() - a.xact_start))::int8
                       FROM pg_catalog.pg_stat_activity a
                      WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()), 0),
           (SELECT count(*) FROM pg_catalog.pg_prepared_xacts),
           pg_catalog.pg_backend_pid())";

constexpr const char* columns_query = R"(
    SELECT n.nspname || '.' || c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
           c.reltuples, pg_catalog.row_security_active(c.oid),
           EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid
                      AND (i.indisprimary OR i.indisreplident)),
           pg_catalog.pg_has_role(c.relowner, 'MEMBER'),
           coalesce((SELECT pg_catalog.string_agg(x.relname || ' (' || m.amname || ')', ', ')
                       FROM pg_catalog.pg_index i
                       JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                       JOIN pg_catalog.pg_am m ON m.oid = x.relam
                      WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])
                        AND m.amname IN ('hnsw', 'ivfflat')), '')
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     WHERE t.typname IN ('vector', 'halfvec', 'bit', 'sparsevec')
       AND (t.typname <> 'bit' OR EXISTS (
               SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                 JOIN pg_catalog.pg_am m ON m.oid = x.relam
                WHERE i.indrelid = c.oid AND m.amname IN ('hnsw', 'ivfflat')))
       AND c.relkind IN ('r', 'p') AND NOT a.attisdropped AND a.attnum > 0
       AND n.nspname NOT IN ('pg_catalog', 'information_schema')
     ORDER BY 1, a.attnum)";

Result<void> read_server(Connection& connection, ServerFacts& facts) {
    const auto asked = std::chrono::steady_clock::now();
    auto rows = connection.query(server_query);
    if (!rows.has_value()) {
        return rows.error();
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - asked;
    facts.round_trip_ms = took.count();
    facts.role = rows->text(0, 0);
    facts.database = rows->text(0, 1);
    facts.address = rows->text(0, 2);
    facts.version = static_cast<int>(rows->integer(0, 3));
    facts.version_text = rows->text(0, 4);
    facts.in_recovery = rows->boolean(0, 5);
    facts.tls = rows->text(0, 6);
    facts.pgvector = rows->text(0, 7);
    facts.pgvector_schema = rows->text(0, 8);
    facts.pgvector_available = rows->text(0, 9);
    return {};
}

Result<void> read_feed(Connection& connection, ServerFacts& facts) {
    auto rows = connection.query(feed_query);
    if (!rows.has_value()) {
        return rows.error();
    }
    facts.wal_level = rows->text(0, 0);
    facts.may_replicate = rows->boolean(0, 1);
    facts.has_rds_replication = rows->boolean(0, 2);
    facts.may_create = rows->boolean(0, 3);
    facts.slots_used = rows->integer(0, 4);
    facts.slots_max = rows->integer(0, 5);
    facts.senders_used = rows->integer(0, 6);
    facts.senders_max = rows->integer(0, 7);
    facts.slot_keep_mb = rows->integer(0, 8);
    facts.oldest_transaction_s = rows->integer(0, 9);
    facts.prepared_transactions = rows->integer(0, 10);
    auto again = connection.query("SELECT pg_catalog.pg_backend_pid()");
    if (!again.has_value()) {
        return again.error();
    }
    facts.same_backend = again->text(0, 0) == rows->text(0, 11);
    auto idle = storage::source::idle_veer_slots(connection, "");
    if (!idle.has_value()) {
        return idle.error();
    }
    facts.idle_veer_slots = *idle;
    return {};
}

Result<void> read_columns(Connection& connection, std::vector<VectorColumn>& columns) {
    auto rows = connection.query(columns_query);
    if (!rows.has_value()) {
        return rows.error();
    }
    for (int i = 0; i < rows->size(); ++i) {
        columns.push_back(
            {.table = rows->text(i, 0),
             .column = rows->text(i, 1),
             .type = rows->text(i, 2),
             .rows = static_cast<double>(rows->integer(i, 3)),
             .row_security = rows->boolean(i, 4),
             .has_key = rows->boolean(i, 5),
             .owned = rows->boolean(i, 6),
             .indexes = rows->text(i, 7)}
        );
    }
    return {};
}

}  // namespace

Result<DoctorFacts> read_facts(const std::string& dsn, const storage::source::Wake* wake) {
    auto connection = Connection::open(
        {.dsn = storage::source::for_installed_libpq(dsn),
         .application_name = "veer doctor",
         .replication = false,
         .wake = wake,
         .statement_time_max = answer_time_max}
    );
    if (!connection.has_value()) {
        return connection.error();
    }
    DoctorFacts facts;
    if (auto read = connection->query(settings); !read.has_value()) {
        return read.error();
    }
    if (auto read = read_server(*connection, facts.server); !read.has_value()) {
        return read.error();
    }
    if (auto read = read_feed(*connection, facts.server); !read.has_value()) {
        return read.error();
    }
    if (auto read = read_columns(*connection, facts.columns); !read.has_value()) {
        return read.error();
    }
    if (!facts.server.pgvector.empty()) {
        auto catalogue = storage::source::discover(*connection);
        if (!catalogue.has_value()) {
            return catalogue.error();
        }
        facts.catalogue = *std::move(catalogue);
    }
    return facts;
}

}  // namespace veer::proxy
