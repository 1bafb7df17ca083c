#include "proxy/freshness_probe.hpp"

#include "storage/source/connection.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace veer::proxy {

namespace {

using router::FreshnessGauge;
using storage::source::Connection;

constexpr std::chrono::milliseconds period{50};
/// What is written is flushed within this by the server itself, mostly.
constexpr std::chrono::milliseconds late_after{200};
constexpr std::uint32_t wal_block_size = 8192;
constexpr std::uint32_t wal_segment_size = 16U * 1024 * 1024;

/// Any role may ask. What is committed without waiting for the flush is before the insert position
/// only.
constexpr const char* question =
    "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL "
    "ELSE pg_catalog.pg_current_wal_insert_lsn() END";

FreshnessGauge::Duration steady_now() {
    return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

FreshnessProbe::FreshnessProbe(Parts parts) : parts_(std::move(parts)) {}

void FreshnessProbe::start() {
    thread_ = std::thread([this] { probe(); });
}

void FreshnessProbe::stop() {
    wake_.wake();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void FreshnessProbe::probe() {
    std::optional<Connection> connection;
    for (; !wake_.woken(); wake_.sleep(period)) {
        if (!parts_.gauge.wanted(steady_now())) {
            connection.reset();
            continue;
        }
        if (!connection) {
            auto opened = Connection::open(
                {.dsn = parts_.dsn, .application_name = "veer freshness", .wake = &wake_}
            );
            if (!opened) {
                continue;
            }
            connection = *std::move(opened);
        }
        const FreshnessGauge::Duration asked = steady_now();
        const auto answer = connection->query(question);
        if (!answer || answer->size() != 1) {
            connection.reset();
        } else if (!answer->is_null(0, 0)) {
            parts_.gauge.note(
                storage::normalise_insert_lsn(
                    storage::parse_lsn(answer->text(0, 0)), wal_block_size, wal_segment_size
                ),
                asked
            );
            nudge_if_late(asked);
        }
    }
}

void FreshnessProbe::nudge_if_late(Duration now) {
    const auto known = parts_.gauge.as_of(parts_.applied());
    const bool late = !known.has_value() || now - *known > late_after;
    if (late && now - nudged_ > late_after) {
        nudged_ = now;
        parts_.nudge();
    }
}

}  // namespace veer::proxy
