#include "storage/source/preflight.hpp"

namespace veer::storage::source {

namespace {

// effective_wal_level: Postgres 19 can decode below wal_level=logical, and says so there.
constexpr const char* upstream_query = R"(
    SELECT coalesce(pg_catalog.current_setting('effective_wal_level', true),
                    pg_catalog.current_setting('wal_level')),
           r.rolsuper OR r.rolreplication,
           EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication'),
           EXISTS (SELECT FROM pg_catalog.pg_roles d WHERE d.rolname = 'rds_replication'
                      AND pg_catalog.pg_has_role(d.oid, 'MEMBER')),
           pg_catalog.pg_is_in_recovery() AND pg_catalog.current_setting('server_version_num')::int < 160000,
           current_user
      FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)";

Error not_permitted(std::string message) {
    return {Errc::not_permitted, std::move(message)};
}

}  // namespace

Result<void> preflight(Connection& connection) {
    auto rows = connection.query(upstream_query);
    if (!rows.has_value()) {
        return rows.error();
    }
    if (rows->size() != 1) {
        return Error{Errc::unexpected, "The current role is not in pg_roles."};
    }
    const std::string wal_level = rows->text(0, 0);
    if (wal_level != "logical") {
        return not_permitted(
            "wal_level is " + wal_level +
            ": set wal_level=logical and restart Postgres (RDS: rds.logical_replication=1; Cloud "
            "SQL: "
            "cloudsql.logical_decoding=on; Azure: wal_level=LOGICAL; needs a restart). Until then "
            "veer "
            "passes everything through."
        );
    }
    if (rows->boolean(0, 4)) {
        return not_permitted(
            "The upstream is a standby, which cannot decode before Postgres 16: let "
            "veer's connection string name the primary."
        );
    }
    const std::string role = rows->text(0, 5);
    if (!rows->boolean(0, 1) && !rows->boolean(0, 3)) {
        const std::string advice = rows->boolean(0, 2) ? "GRANT rds_replication TO " + role + ";"
                                                       : "ALTER ROLE " + role + " REPLICATION;";
        return not_permitted(
            "Role " + role + " may not replicate; run: " + advice +
            " Until then veer passes everything through."
        );
    }
    return {};
}

}  // namespace veer::storage::source
