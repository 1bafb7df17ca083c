#pragma once

#include "proxy/state_files.hpp"
#include "router/cutover/control.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <filesystem>

namespace veer::proxy {

/// What the router's cutover control needs of the outside: the time, its files, and a log.
///
/// Decides nothing. Everything but now() belongs to the thread of the io_context.
class CutoverCourse {
  public:
    CutoverCourse(
        boost::asio::io_context& context,
        router::cutover::Control& control,
        const std::filesystem::path& directory
    );

    /// Reads what was stored; says in the log what is wrong with it. Before any route is there.
    void restore();

    /// Looks at the panic file and lets time pass, ten times a second. Returns at once.
    void start();

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

    router::cutover::Control& control_;
    StateFiles files_;
    boost::asio::steady_timer timer_;
    const router::cutover::Time wall_;
    const std::chrono::steady_clock::time_point steady_;
};

}  // namespace veer::proxy
