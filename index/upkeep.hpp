#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace veer::index {

/// One thread that does one job whenever it is asked to, beside whoever asks.
///
///     request() ─▶ job(stopping) ─▶ a pause? ─▶ job again after it, or at the next request()
///
/// Invariants:
/// 1. request() never waits for the job. The thread begins with the first one.
/// 2. The job runs once at a time; a request during it makes it run again.
/// 3. A job that throws has found no memory: it runs again after 10 s, or at the next request.
/// 4. After stop() the job neither runs nor will; it is told by `stopping` and must end soon.
class Upkeep {
  public:
    /// Returns after which time to run again unasked; zero: not.
    using Job = std::function<std::chrono::milliseconds(const std::atomic<bool>& stopping)>;

    explicit Upkeep(Job job) : job_{std::move(job)} {}

    Upkeep(const Upkeep&) = delete;
    Upkeep& operator=(const Upkeep&) = delete;

    ~Upkeep() { stop(); }

    void request();

    /// Waits until no request is left; a pause of the job is not waited for.
    void settle();

    void stop();

  private:
    void run();

    Job job_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<bool> stopping_{false};
    bool requested_ = false;
    bool running_ = false;
    std::thread thread_;
};

}  // namespace veer::index
