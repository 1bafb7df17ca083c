#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace veer::proxy::net {

/// One thread's descriptors, timers and posted work: an Asio io_context, as far as veer uses one.
///
///     readiness ─▶ Handler::on_ready()          posted task, timer that is due ─▶ Task
///
/// Descriptors are only waited for; what is ready is read and written without waiting, into memory
/// that all connections of the thread share. So a connection at rest holds no buffer.
///
/// Invariants:
/// 1. Everything but post() and stop() is called on the thread that is in run(), or before it.
/// 2. What throws (memory for one client has run out) is told to its handler, or to
///    on_task_failure; the others go on.
class EventLoop {
  public:
    using Clock = std::chrono::steady_clock;
    using Task = std::function<void()>;

    class Handler {
      public:
        Handler() = default;
        Handler(const Handler&) = delete;
        Handler& operator=(const Handler&) = delete;
        virtual ~Handler() = default;

        virtual void on_ready(bool readable, bool writable) = 0;

        /// on_ready() has thrown: give up.
        virtual void on_failure() = 0;
    };

    /// Waits for one descriptor. The handler must live until the watch ends; where it ends the
    /// watch itself, until it has returned: see retire().
    class Watch {
      public:
        Watch(EventLoop& loop, Handler& handler) : loop_(loop), handler_(handler) {}

        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

        ~Watch() { end(); }

        /// Calls the handler whenever `descriptor` can be read or written, whichever is wanted.
        /// The same descriptor every time until end().
        void want(int descriptor, bool read, bool write);

        /// Before the descriptor is closed.
        void end();

      private:
        using Descriptor =
            boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

        /// What a wait holds: it may be over only after its watch is gone.
        struct Link {
            Watch* watch = nullptr;
            bool reads = false;   // a wait for reading is under way
            bool writes = false;  // for writing
        };

        void wait_for_wanted();
        template <bool Reading>
        void wait();
        void on_ready(bool readable, bool writable);

        EventLoop& loop_;
        Handler& handler_;
        std::optional<Descriptor> descriptor_;
        std::shared_ptr<Link> link_;
        bool wants_read_ = false;
        bool wants_write_ = false;
    };

    /// Names a timer; zero names none.
    struct TimerId {
        std::uint64_t number = 0;
    };

    EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop() = default;

    void run();

    /// Ends run(), from any thread.
    void stop() { context_.stop(); }

    /// Runs `task` on the loop's thread, soon. From any thread; a task posted after stop() is
    /// dropped with the loop.
    void post(Task task);

    TimerId at(Clock::time_point when, Task task);
    void cancel(TimerId& timer);

    /// Keeps `object` until what calls has returned.
    void retire(std::shared_ptr<void> object);

    boost::asio::io_context& context() { return context_; }

    /// Called where a task has thrown.
    Task on_task_failure = [] {
    };

  private:
    struct Timer {
        boost::asio::steady_timer timer;
        Task task;
    };

    void run_task(const Task& task) const;
    void on_timer(std::uint64_t number);

    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::map<std::uint64_t, Timer> timers_;
    std::uint64_t last_timer_ = 0;
};

}  // namespace veer::proxy::net
