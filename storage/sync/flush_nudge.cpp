#include "storage/sync/flush_nudge.hpp"

#include "storage/sync/surviving.hpp"

#include <chrono>

namespace veer::storage::sync {

namespace {

constexpr std::chrono::milliseconds retry_after{500};

}  // namespace

FlushNudge::FlushNudge(std::string dsn)
    : dsn_{std::move(dsn)}, thread_{[this] {
          surviving("the flush of the log", wake_, [this] { run(); });
      }} {}

FlushNudge::~FlushNudge() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_one();
    wake_.wake();
    thread_.join();
}

void FlushNudge::request() {
    {
        const std::lock_guard lock{mutex_};
        pending_ = true;
    }
    changed_.notify_one();
}

void FlushNudge::run() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        changed_.wait(lock, [this] { return pending_ || stopping_; });
        if (stopping_) {
            return;
        }
        pending_ = false;
        lock.unlock();
        if (!flush_or_ask_again()) {
            connection_.reset();
            wake_.sleep(retry_after);  // requests meanwhile become one
        }
        lock.lock();
    }
}

bool FlushNudge::flush_or_ask_again() {
    try {
        return flush();
    } catch (...) {
        request();
        throw;
    }
}

bool FlushNudge::flush() {
    if (!connection_.has_value()) {
        auto opened = source::Connection::open(
            {.dsn = dsn_, .application_name = "veer_flush", .replication = false, .wake = &wake_}
        );
        if (!opened.has_value()) {
            return false;
        }
        connection_.emplace(std::move(*opened));
    }
    const std::string commit =
        "SELECT pg_catalog.pg_logical_emit_message(true, '" + std::string{flush_prefix} + "', '')";
    return connection_->query(commit).has_value();
}

}  // namespace veer::storage::sync
