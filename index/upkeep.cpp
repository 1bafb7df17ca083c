#include "index/upkeep.hpp"

#include <exception>

namespace veer::index {

namespace {

/// When a job that found no memory runs again.
constexpr std::chrono::milliseconds pause_after_failure{10'000};

}  // namespace

void Upkeep::request() {
    const std::lock_guard lock{mutex_};
    if (stopping_) {
        return;
    }
    if (!thread_.joinable()) {
        try {
            thread_ = std::thread{[this] {
                run();
            }};
        } catch (const std::exception&) {
            return;  // no thread to be had: the next request tries again
        }
    }
    requested_ = true;
    changed_.notify_all();
}

void Upkeep::settle() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return stopping_ || (!requested_ && !running_); });
}

void Upkeep::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Upkeep::run() {
    std::chrono::milliseconds pause{0};
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        const auto asked = [&] {
            return stopping_ || requested_;
        };
        if (pause.count() > 0) {
            changed_.wait_for(lock, pause, asked);
        } else {
            changed_.wait(lock, asked);
        }
        if (stopping_) {
            return;
        }
        requested_ = false;
        running_ = true;
        lock.unlock();
        try {
            pause = job_(stopping_);
        } catch (const std::exception&) {
            pause = pause_after_failure;
        }
        lock.lock();
        running_ = false;
        changed_.notify_all();
    }
}

}  // namespace veer::index
