#include "proxy/upstream_watch.hpp"

#include "storage/lsn.hpp"
#include "storage/source/connection.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace veer::proxy {

namespace {

using router::cutover::UpstreamLook;
using storage::source::Connection;

constexpr std::chrono::seconds period{1};

/// What is flushed can be streamed. Any role may read all of it.
std::string question(const Connection& connection, const std::string& slot) {
    return "WITH server AS (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() "
           "  THEN pg_catalog.pg_last_wal_replay_lsn() "
           "  ELSE pg_catalog.pg_current_wal_flush_lsn() END AS lsn) "
           "SELECT server.lsn, "
           "  (SELECT pg_catalog.pg_wal_lsn_diff(server.lsn, s.restart_lsn)::int8 "
           "     FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = " +
           connection.quote_literal(slot) +
           "), (SELECT pg_catalog.sum(d.numbackends)::int8 FROM pg_catalog.pg_stat_database d), "
           "  pg_catalog.current_setting('max_connections')::int8 FROM server";
}

std::optional<UpstreamLook> ask(Connection& connection, const std::string& slot) {
    const auto answer = connection.query(question(connection, slot));
    if (!answer || answer->size() != 1 || answer->is_null(0, 0)) {
        return std::nullopt;
    }
    const auto count = [&answer](int column) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(0, answer->integer(0, column)));
    };
    UpstreamLook look{
        .position = storage::parse_lsn(answer->text(0, 0)).value,
        .connections = count(2),
        .connections_max = count(3)};
    if (!answer->is_null(0, 1)) {
        look.wal_retained_bytes = count(1);
    }
    return look;
}

}  // namespace

UpstreamWatch::UpstreamWatch(Parts parts) : parts_(std::move(parts)) {}

void UpstreamWatch::start() {
    thread_ = std::thread([this] { watch(); });
}

void UpstreamWatch::stop() {
    wake_.wake();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void UpstreamWatch::watch() {
    std::optional<Connection> connection;
    while (!wake_.woken()) {
        if (!connection) {
            auto opened = Connection::open(
                {.dsn = parts_.dsn, .application_name = "veer upstream watch", .wake = &wake_}
            );
            if (opened) {
                connection = *std::move(opened);
            }
        }
        if (connection) {
            if (const auto look = ask(*connection, parts_.slot())) {
                parts_.seen(*look);
            } else {
                connection.reset();
            }
        }
        wake_.sleep(period);
    }
}

}  // namespace veer::proxy
