#include "storage/source/preflight.hpp"

namespace veer::storage::source {

namespace {

/// The first whose catalogue says of a publication all that decides whether rows are missing from
/// it (row filters, column lists, schemas).
constexpr int version_min = 150'000;
constexpr int version_of_decoding_standbys = 160'000;

// effective_wal_level: Postgres 19 can decode below wal_level=logical, and says so there.
constexpr const char* upstream_query = R"(
    SELECT coalesce(pg_catalog.current_setting('effective_wal_level', true),
                    pg_catalog.current_setting('wal_level')),
           r.rolsuper OR r.rolreplication
               OR EXISTS (SELECT FROM pg_catalog.pg_roles d WHERE d.rolname = 'rds_replication'
                             AND pg_catalog.pg_has_role(d.oid, 'MEMBER')),
           EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication'),
           pg_catalog.pg_is_in_recovery(), current_user,
           pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_version')
      FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)";

Error not_permitted(std::string message) {
    return {Errc::not_permitted, std::move(message)};
}

}  // namespace

Result<void> judge(const ServerFacts& facts) {
    if (facts.version < version_min) {
        return not_permitted(
            "The upstream is PostgreSQL " + facts.version_text +
            ", and veer's copy needs 15 or later; veer passes everything through."
        );
    }
    if (facts.wal_level != "logical") {
        return not_permitted(
            "wal_level is " + facts.wal_level +
            ": set wal_level=logical and restart Postgres (RDS: rds.logical_replication=1; Cloud "
            "SQL: cloudsql.logical_decoding=on; Azure: wal_level=LOGICAL; needs a restart). Until "
            "then veer passes everything through."
        );
    }
    if (facts.in_recovery && facts.version < version_of_decoding_standbys) {
        return not_permitted(
            "The upstream is a standby, which cannot decode before Postgres 16: let "
            "veer's connection string name the primary."
        );
    }
    if (!facts.may_replicate) {
        const std::string advice = facts.has_rds_replication
                                       ? "GRANT rds_replication TO " + facts.role + ";"
                                       : "ALTER ROLE " + facts.role + " REPLICATION;";
        return not_permitted(
            "Role " + facts.role + " may not replicate; run: " + advice +
            " Until then veer passes everything through."
        );
    }
    return {};
}

Result<void> preflight(Connection& connection) {
    auto rows = connection.query(upstream_query);
    if (!rows.has_value()) {
        return rows.error();
    }
    if (rows->size() != 1) {
        return Error{Errc::unexpected, "The current role is not in pg_roles."};
    }
    ServerFacts facts;
    facts.wal_level = rows->text(0, 0);
    facts.may_replicate = rows->boolean(0, 1);
    facts.has_rds_replication = rows->boolean(0, 2);
    facts.in_recovery = rows->boolean(0, 3);
    facts.role = rows->text(0, 4);
    facts.version = static_cast<int>(rows->integer(0, 5));
    facts.version_text = rows->text(0, 6);
    return judge(facts);
}

}  // namespace veer::storage::source
