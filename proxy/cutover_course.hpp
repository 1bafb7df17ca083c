#pragma once

#include "proxy/state_files.hpp"
#include "router/cutover/control.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

namespace veer::proxy {

/// What the router's cutover control needs of the outside: the time, its files, and a log.
///
/// Decides nothing. Everything but now() belongs to the thread of the io_context; what is written
/// is written by a thread of its own, so that a slow disk holds up neither panic nor anybody who
/// looks.
class CutoverCourse {
  public:
    CutoverCourse(
        boost::asio::io_context& context,
        router::cutover::Control& control,
        const std::filesystem::path& directory
    );

    CutoverCourse(const CutoverCourse&) = delete;
    CutoverCourse& operator=(const CutoverCourse&) = delete;

    ~CutoverCourse() { stop(); }

    /// Reads what was stored; says in the log what is wrong with it. Before any route is there.
    void restore();

    /// Looks at the panic file, calls `sample` and lets time pass, ten times a second. Returns at
    /// once.
    void start(std::function<void(router::cutover::Time)> sample);

    /// Stores what is left to be stored; whoever waits for an answer gets it here. What moves later
    /// is lost.
    void stop();

    /// SIGUSR2: panic, or its end.
    void toggle_panic();

    /// The state could not be read at start: perhaps it can now.
    void restore_if_unreadable();

    /// The time as cutover means it: of the wall when veer started, counted on by the steady clock,
    /// so that it never jumps. Thread-safe.
    router::cutover::Time now() const;

  private:
    void await_tick();
    void tick();
    void log_notices();
    void wake();
    void write();

    router::cutover::Control& control_;
    StateFiles files_;
    boost::asio::steady_timer timer_;
    const router::cutover::Time wall_;
    const std::chrono::steady_clock::time_point steady_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void(router::cutover::Time)> sample_;
    bool wanted_ = false;  // under mutex_, as is the next
    bool stopping_ = false;
    std::thread writer_;
};

}  // namespace veer::proxy
