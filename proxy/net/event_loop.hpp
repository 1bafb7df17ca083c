#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace veer::proxy::net {

/// One thread's descriptors, timers and posted work, around one epoll set.
///
///     epoll_wait ─▶ handlers of ready descriptors ─▶ posted work ─▶ timers that are due ─▶ again
///
/// Invariants:
/// 1. Everything but post() and stop() is called on the thread that is in run(), or before it.
/// 2. A descriptor stays registered from message to message: a relayed message costs one
///    epoll_wait, one read and one write, and no call to epoll_ctl.
/// 3. What throws (memory for one client has run out) is told to its handler; the others go on.
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

    /// The registration of one descriptor: edge-triggered, so that the kernel looks at it when
    /// something happens there and not at every wait, and kept while nothing is to be read.
    ///
    /// The handler must live until the end of the round in which the watch ends: see retire().
    class Watch {
      public:
        Watch(EventLoop& loop, Handler& handler) : loop_(loop), handler_(handler) {}

        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

        ~Watch() { end(); }

        /// Calls the handler when `descriptor` can be read or written, whichever is wanted, and
        /// again in the next round until drained(). The same descriptor every time until end().
        void want(int descriptor, bool read, bool write);

        /// What was read did not fill its room: there is nothing more until the next event. The
        /// end of the stream is the exception, for it may have come in the same breath.
        void drained() { readable_ = ending_; }

        /// Before the descriptor is closed.
        void end() noexcept;

      private:
        friend class EventLoop;

        void on_events(std::uint32_t events);
        void call(bool writable);
        void control(int operation);
        void call_again_if_readable();

        EventLoop& loop_;
        Handler& handler_;
        int descriptor_ = -1;
        bool registered_ = false;
        bool wants_read_ = false;
        bool wants_write_ = false;
        bool readable_ = false;
        bool ending_ = false;  // the peer has said that it sends no more, or is gone
        bool again_ = false;   // in the loop's again_
    };

    /// Names a timer; all zero names none.
    struct TimerId {
        Clock::time_point at;
        std::uint64_t number = 0;

        friend bool operator<(const TimerId& a, const TimerId& b) {
            return std::pair(a.at, a.number) < std::pair(b.at, b.number);
        }
    };

    EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop();

    void run();

    /// Ends run(), from any thread.
    void stop();

    /// Runs `task` on the loop's thread, soon. From any thread; a task posted after stop() is
    /// dropped with the loop.
    void post(Task task);

    TimerId at(Clock::time_point when, Task task);
    void cancel(TimerId& timer);

    /// Keeps `object` until no event of the present round can name it any more.
    void retire(std::shared_ptr<void> object) { retired_.push_back(std::move(object)); }

  private:
    void run_round();
    void call_again(std::size_t count);
    int wait_ms() const;
    void run_posted();
    void run_due_timers();

    int epoll_;
    int wake_;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;
    std::vector<Task> posted_;  // under mutex_
    std::map<TimerId, Task> timers_;
    std::vector<Watch*> again_;  // readable still; null where the watch has ended
    std::uint64_t last_timer_ = 0;
    std::vector<std::shared_ptr<void>> retired_;
};

}  // namespace veer::proxy::net
