#include "storage/sync/wal_guard.hpp"

#include "storage/sync/surviving.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <utility>

namespace veer::storage::sync {

namespace {

/// Between the eviction of the holder and the drop, the syncer may have taken the slot again.
constexpr int drop_attempts_max = 5;

}  // namespace

std::string size_text(std::uint64_t bytes) {
    constexpr std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
    std::uint64_t tenths = bytes * 10 / 1024;
    std::size_t unit = 0;
    while (tenths >= 10'240 && unit + 1 < units.size()) {
        tenths /= 1024;
        ++unit;
    }
    std::string text = std::to_string(tenths / 10);
    if (tenths % 10 != 0) {
        text += "." + std::to_string(tenths % 10);
    }
    return text + " " + units.at(unit);
}

std::string wal_warning(
    const std::string& slot, const source::HeldWal& held, std::uint64_t keep_max
) {
    if (keep_max == 0 || held.total <= keep_max / 2) {
        return "";
    }
    const bool confirmed = held.unconfirmed < held.total / 2;
    return "The replication slot " + slot + " holds back " + size_text(held.total) +
           " of WAL on the upstream, and veer drops it at [sync] wal_keep_max = " +
           size_text(keep_max) + "; " +
           (confirmed ? "veer is up to date, but a transaction is open that began back there: see "
                        "pg_stat_activity.xact_start."
                      : "veer has not stored " + size_text(held.unconfirmed) + " of it yet.");
}

WalGuard::WalGuard(WalGuardOptions options) : options_{std::move(options)} {
    if (options_.keep_max > 0) {
        thread_ = std::thread{[this] {
            surviving("the guard of the WAL", *options_.wake, [this] { run(); });
        }};
    }
}

WalGuard::~WalGuard() {
    if (thread_.joinable()) {
        thread_.join();
    }
}

void WalGuard::watch(const std::string& slot) {
    const std::scoped_lock lock{mutex_};
    slot_ = slot;
}

std::string WalGuard::slot() const {
    const std::lock_guard lock{mutex_};
    return slot_;
}

std::string WalGuard::warning() const {
    const std::scoped_lock lock{mutex_};
    return warning_;
}

bool WalGuard::dropped() const {
    const std::scoped_lock lock{mutex_};
    return dropped_.has_value();
}

std::optional<std::string> WalGuard::take_dropped() {
    const std::scoped_lock lock{dropping_, mutex_};
    return std::exchange(dropped_, std::nullopt);
}

void WalGuard::run() {
    std::optional<source::Connection> connection;
    for (; !options_.wake->woken(); options_.wake->sleep(options_.every)) {
        std::string slot;
        {
            const std::scoped_lock lock{mutex_};
            slot = slot_;
        }
        if (slot.empty()) {
            continue;
        }
        if (!connection.has_value()) {
            auto opened = source::Connection::open(
                {.dsn = options_.dsn,
                 .application_name = "veer_wal_guard",
                 .replication = false,
                 .wake = options_.wake}
            );
            if (!opened.has_value()) {
                continue;  // the syncer has the same trouble, and says so
            }
            connection.emplace(std::move(*opened));
        }
        if (auto looked = look(*connection, slot); !looked.has_value()) {
            spdlog::debug("sync: WAL held by the slot is unknown: {}", looked.error().message);
            connection.reset();
        }
    }
}

Result<void> WalGuard::look(source::Connection& connection, const std::string& slot) {
    auto held = source::held_wal(connection, slot);
    if (!held.has_value()) {
        return held.error();
    }
    if (held->total > options_.keep_max) {
        return drop(connection, slot, held->total);
    }
    std::string warning = wal_warning(slot, *held, options_.keep_max);
    const std::scoped_lock lock{mutex_};
    if (warning_.empty() && !warning.empty()) {
        spdlog::warn("sync: {}", warning);
    }
    warning_ = std::move(warning);
    return {};
}

Result<void> WalGuard::drop(
    source::Connection& connection, const std::string& slot, std::uint64_t held
) {
    const std::scoped_lock dropping{dropping_};
    for (int attempt = 0; attempt < drop_attempts_max; ++attempt) {
        if (auto evicted = source::evict_holder(connection, slot, slot); !evicted.has_value()) {
            spdlog::error(
                "sync: the replication slot {} holds back {} of WAL, more than [sync] "
                "wal_keep_max, and veer cannot drop it: {}",
                slot,
                size_text(held),
                evicted.error().message
            );
            return {};
        }
        auto done = source::drop_slot_over(connection, slot, options_.keep_max);
        if (!done.has_value() && connection.sqlstate() == "55006") {
            continue;
        }
        if (!done.has_value()) {
            return done.error();
        }
        const std::scoped_lock lock{mutex_};
        warning_.clear();
        if (*done) {
            dropped_ = "Veer dropped its replication slot " + slot + ", as it held back " +
                       size_text(held) +
                       " of WAL on the upstream, more than [sync] wal_keep_max = " +
                       size_text(options_.keep_max) + ".";
            spdlog::error("sync: {}", *dropped_);
        }
        return {};
    }
    return {};
}

}  // namespace veer::storage::sync
