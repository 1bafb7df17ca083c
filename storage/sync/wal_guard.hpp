#pragma once

#include "storage/error.hpp"
#include "storage/source/slot.hpp"
#include "storage/source/wake.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace veer::storage::sync {

struct WalGuardOptions {
    std::string dsn;
    std::uint64_t keep_max = 0;       ///< bytes of WAL; 0 is no bound
    std::chrono::milliseconds every;  ///< between two looks
    /// Ends every wait; must outlive the guard, and be woken before it is destroyed.
    const source::Wake* wake = nullptr;
};

/// Protects the upstream's disk from veer: a slot that nobody advances keeps all WAL from there on,
/// until the disk is full and Postgres stops.
///
///     held:  0 ────────── keep_max / 2 ────────────── keep_max ──────▶
///              nothing said       warning(), one log line     slot dropped, take_dropped()
///
/// A thread and a connection of its own: whatever holds the syncer up (a slow index, a full disk, a
/// right that somebody took away) must not hold up this.
///
/// Invariants:
/// 1. Only the slot given to watch() is ever dropped, and only while it holds more than the bound:
///    the statement that drops it looks again.
/// 2. take_dropped() waits for a drop that is under way: nobody meets a half dropped slot.
class WalGuard {
  public:
    explicit WalGuard(WalGuardOptions options);
    WalGuard(const WalGuard&) = delete;
    WalGuard& operator=(const WalGuard&) = delete;
    ~WalGuard();

    /// Names the slot, once it is known; its holder has the same application_name.
    void watch(const std::string& slot);

    /// That name.
    std::string slot() const;

    /// What a person should know while the slot holds more than half of the bound; else empty.
    std::string warning() const;

    /// True from a drop until take_dropped().
    bool dropped() const;

    /// Returns why the slot was dropped since the last call, if it was.
    std::optional<std::string> take_dropped();

  private:
    void run();
    Result<void> look(source::Connection& connection, const std::string& slot);
    Result<void> drop(source::Connection& connection, const std::string& slot, std::uint64_t held);

    WalGuardOptions options_;
    mutable std::mutex mutex_;
    std::mutex dropping_;
    std::string slot_;
    std::string warning_;
    std::optional<std::string> dropped_;
    std::thread thread_;
};

/// Says how much WAL the slot holds, of how much, and who is to blame: empty up to half of the
/// bound.
std::string wal_warning(
    const std::string& slot, const source::HeldWal& held, std::uint64_t keep_max
);

/// "1.5 GiB", for people.
std::string size_text(std::uint64_t bytes);

}  // namespace veer::storage::sync
