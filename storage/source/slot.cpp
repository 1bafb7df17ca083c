#include "storage/source/slot.hpp"

#include <algorithm>

namespace veer::storage::source {

namespace {

// On a standby that decodes (Postgres 16), what it has replayed is its end.
constexpr const char* server_end =
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
    "     ELSE pg_catalog.pg_current_wal_lsn() END";

std::string held_since(const char* column) {
    return std::string{"pg_catalog.pg_wal_lsn_diff("} + server_end + ", " + column + ")";
}

std::uint64_t bytes_at_least_0(std::int64_t bytes) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0));
}

}  // namespace

Result<std::optional<SlotFacts>> read_slot(Connection& connection, const std::string& name) {
    auto rows = connection.query(
        "SELECT s.plugin = 'pgoutput' AND s.database = pg_catalog.current_database() "
        "       AND coalesce(s.wal_status, 'lost') <> 'lost' AND NOT s.temporary, "
        "       s.active, s.confirmed_flush_lsn, coalesce(s.wal_status, 'lost') = 'lost', "
        "       coalesce(pg_catalog.to_jsonb(s) ->> 'invalidation_reason', ''), "
        "       pg_catalog.current_setting('max_slot_wal_keep_size'), "
        "       coalesce(pg_catalog.to_jsonb(s) ->> 'synced', '') = 'true' "
        "  FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = " +
        connection.quote_literal(name)
    );
    if (!rows.has_value()) {
        return rows.error();
    }
    if (rows->size() == 0) {
        return std::optional<SlotFacts>{};
    }
    SlotFacts facts;
    facts.usable = rows->boolean(0, 0);
    facts.active = rows->boolean(0, 1);
    facts.confirmed_flush = parse_lsn(rows->text(0, 2));
    facts.synced = rows->boolean(0, 6);
    if (rows->boolean(0, 3)) {
        const std::string why = rows->text(0, 4);  // empty before Postgres 17
        facts.invalidated =
            why.empty() || why == "wal_removed"
                ? "it held back more WAL than max_slot_wal_keep_size = " + rows->text(0, 5) +
                      " allows"
                : why;
    }
    return std::optional{facts};
}

Result<Lsn> log_end(Connection& connection) {
    auto end = connection.query(std::string{"SELECT "} + server_end);
    return end.has_value() ? Result<Lsn>{parse_lsn(end->text(0, 0))} : end.error();
}

Result<Lsn> insert_end(Connection& connection) {
    auto end = connection.query(
        "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()"
        " ELSE pg_catalog.pg_current_wal_insert_lsn() END"
    );
    return end.has_value() ? Result<Lsn>{parse_lsn(end->text(0, 0))} : end.error();
}

Result<void> evict_holder(
    Connection& connection, const std::string& name, const std::string& application_name
) {
    auto holder = connection.query(
        "SELECT a.pid, a.application_name = " + connection.quote_literal(application_name) +
        "  FROM pg_catalog.pg_replication_slots s "
        "  JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid "
        " WHERE s.slot_name = " +
        connection.quote_literal(name)
    );
    if (!holder.has_value()) {
        return holder.error();
    }
    if (holder->size() == 0) {
        return {};
    }
    const std::string pid = holder->text(0, 0);
    if (!holder->boolean(0, 1)) {
        return Error{
            Errc::connection,
            "The replication slot " + name + " is in use by another session (PID " + pid + ")."};
    }
    auto ended = connection.query("SELECT pg_catalog.pg_terminate_backend(" + pid + ", 2000)");
    return ended.has_value() ? Result<void>{} : Result<void>{ended.error()};
}

Result<void> drop_slot(
    Connection& connection, const std::string& name, const std::string& application_name
) {
    if (auto evicted = evict_holder(connection, name, application_name); !evicted.has_value()) {
        return evicted;
    }
    auto dropped = connection.query(
        "SELECT pg_catalog.pg_drop_replication_slot(s.slot_name) "
        "  FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = " +
        connection.quote_literal(name)
    );
    if (!dropped.has_value() && connection.sqlstate() != "42704") {
        return dropped.error();
    }
    return {};
}

Result<HeldWal> held_wal(Connection& connection, const std::string& name) {
    auto rows = connection.query(
        "SELECT coalesce(" + held_since("s.restart_lsn") + ", 0)::int8, coalesce(" +
        held_since("s.confirmed_flush_lsn") +
        ", 0)::int8 FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = " +
        connection.quote_literal(name)
    );
    if (!rows.has_value()) {
        return rows.error();
    }
    if (rows->size() == 0) {
        return HeldWal{};
    }
    return HeldWal{bytes_at_least_0(rows->integer(0, 0)), bytes_at_least_0(rows->integer(0, 1))};
}

Result<bool> drop_slot_over(Connection& connection, const std::string& name, std::uint64_t bytes) {
    auto rows = connection.query(
        "SELECT pg_catalog.pg_drop_replication_slot(s.slot_name) "
        "  FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = " +
        connection.quote_literal(name) + " AND " + held_since("s.restart_lsn") + " > " +
        std::to_string(bytes)
    );
    return rows.has_value() ? Result<bool>{rows->size() > 0} : rows.error();
}

Result<std::string> idle_veer_slots(Connection& connection, const std::string& own_name) {
    auto rows = connection.query(
        "SELECT coalesce(pg_catalog.string_agg(s.slot_name, ', '), '') "
        "  FROM pg_catalog.pg_replication_slots s "
        " WHERE s.slot_name ~ '^veer_[0-9a-f]{8}$' AND s.plugin = 'pgoutput' AND NOT s.active "
        "   AND s.database = pg_catalog.current_database() AND s.slot_name <> " +
        connection.quote_literal(own_name)
    );
    return rows.has_value() ? Result<std::string>{rows->text(0, 0)} : rows.error();
}

namespace {

Result<CreatedSlot> make_slot(
    Connection& replication, const std::string& name, const char* kind, const char* options
) {
    // lock_timeout bounds the wait, statement_timeout would not.
    if (auto set = replication.query("SET lock_timeout = '30s'"); !set.has_value()) {
        return set.error();
    }
    auto made = replication.query(
        "CREATE_REPLICATION_SLOT " + replication.quote_identifier(name) + kind +
        " LOGICAL pgoutput (" + options + ")"
    );
    if (!made.has_value() && replication.sqlstate() == "55P03") {
        return Error{
            Errc::connection,
            "The replication slot cannot be made, as a writing transaction has been open for "
            "30 s; see pg_stat_activity.xact_start."};
    }
    if (!made.has_value() && replication.sqlstate() == "42710") {
        // Of a session of ours that waits for a lock, and has not noticed that nobody listens.
        return Error{
            Errc::connection, "The replication slot " + name + " is there already, for a moment."};
    }
    if (!made.has_value() && replication.sqlstate() == "53400") {
        return Error{
            Errc::not_permitted,
            "All replication slots are in use: raise max_replication_slots and restart "
            "Postgres, or drop a slot that nobody needs."};
    }
    if (!made.has_value()) {
        return made.error();
    }
    if (made->size() != 1) {
        return Error{Errc::unexpected, "CREATE_REPLICATION_SLOT returned no row."};
    }
    return CreatedSlot{parse_lsn(made->text(0, 1)), made->text(0, 2)};
}

}  // namespace

Result<bool> can_follow_failover(Connection& connection) {
    auto rows = connection.query(
        "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 170000 "
        "       AND NOT pg_catalog.pg_is_in_recovery()"
    );
    return rows.has_value() ? Result<bool>{rows->boolean(0, 0)} : rows.error();
}

Result<Lsn> create_slot(Connection& replication, const std::string& name, bool failover) {
    auto made = make_slot(
        replication, name, "", failover ? "SNAPSHOT 'nothing', FAILOVER" : "SNAPSHOT 'nothing'"
    );
    return made.has_value() ? Result<Lsn>{made->consistent_point} : made.error();
}

Result<CreatedSlot> create_temporary_slot(Connection& replication, const std::string& name) {
    return make_slot(replication, name, " TEMPORARY", "SNAPSHOT 'export'");
}

Result<void> drop_temporary_slot(Connection& replication, const std::string& name) {
    auto dropped = replication.query("DROP_REPLICATION_SLOT " + replication.quote_identifier(name));
    return dropped.has_value() ? Result<void>{} : Result<void>{dropped.error()};
}

}  // namespace veer::storage::source
