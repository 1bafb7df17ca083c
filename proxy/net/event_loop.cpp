#include "proxy/net/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>

namespace veer::proxy::net {

namespace {

constexpr std::size_t events_max = 128;

template <class Call>
bool guarded(const Call& call) {
    try {
        call();
        return true;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "veer: a connection failed: %s\n", error.what());
        return false;
    }
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ < 0 || wake_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
        throw std::system_error(errno, std::generic_category(), "epoll");
    }
}

EventLoop::~EventLoop() {
    close(wake_);
    close(epoll_);
}

void EventLoop::run() {
    while (!stopping_.load()) {
        run_round();
    }
}

void EventLoop::stop() {
    stopping_.store(true);
    const std::uint64_t one = 1;
    static_cast<void>(write(wake_, &one, sizeof one));
}

void EventLoop::post(Task task) {
    bool first = false;
    {
        const std::scoped_lock lock(mutex_);
        first = posted_.empty();
        posted_.push_back(std::move(task));
    }
    if (first) {
        const std::uint64_t one = 1;
        static_cast<void>(write(wake_, &one, sizeof one));
    }
}

void EventLoop::run_round() {
    std::array<epoll_event, events_max> events;  // NOLINT: filled by the kernel
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events_max), wait_ms());
    bool woken = false;
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events.at(static_cast<std::size_t>(i));
        if (event.data.ptr == nullptr) {
            woken = true;
            continue;
        }
        auto* const watch = static_cast<Watch*>(event.data.ptr);
        if (!guarded([&] { watch->on_events(event.events); })) {
            guarded([&] { watch->handler_.on_failure(); });
        }
    }
    if (woken) {
        run_posted();
    }
    if (!timers_.empty()) {
        run_due_timers();
    }
    retired_.clear();
}

int EventLoop::wait_ms() const {
    if (timers_.empty()) {
        return -1;
    }
    const auto left = timers_.begin()->first.at - Clock::now();
    constexpr std::chrono::milliseconds most{60'000};
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(left);
    return static_cast<int>(std::clamp(rounded, std::chrono::milliseconds(0), most).count());
}

void EventLoop::run_posted() {
    std::uint64_t ignored = 0;
    static_cast<void>(read(wake_, &ignored, sizeof ignored));
    std::vector<Task> tasks;
    {
        const std::scoped_lock lock(mutex_);
        tasks.swap(posted_);
    }
    for (const Task& task : tasks) {
        guarded(task);
    }
}

EventLoop::TimerId EventLoop::at(Clock::time_point when, Task task) {
    const TimerId timer{.at = when, .number = ++last_timer_};
    timers_.emplace(timer, std::move(task));
    return timer;
}

void EventLoop::cancel(TimerId& timer) {
    if (timer.number != 0) {
        timers_.erase(timer);
        timer = {};
    }
}

void EventLoop::run_due_timers() {
    const Clock::time_point now = Clock::now();
    while (!timers_.empty() && timers_.begin()->first.at <= now) {
        const auto due = timers_.extract(timers_.begin());
        guarded(due.mapped());
    }
}

void EventLoop::Watch::want(int descriptor, bool read, bool write) {
    const std::uint32_t events = (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U);
    if (registered_ && events == events_) {
        return;
    }
    descriptor_ = descriptor;
    events_ = events;
    if (registered_) {
        control(EPOLL_CTL_MOD, events);
    } else if (events != 0) {
        control(EPOLL_CTL_ADD, events);
        registered_ = true;
    }
}

void EventLoop::Watch::end() {
    if (registered_) {
        control(EPOLL_CTL_DEL, 0);
        registered_ = false;
    }
    events_ = 0;
}

void EventLoop::Watch::control(int operation, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = this;
    if (epoll_ctl(loop_.epoll_, operation, descriptor_, &event) != 0 &&
        operation != EPOLL_CTL_DEL) {
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
}

void EventLoop::Watch::on_events(std::uint32_t events) {
    const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (broken && events_ == 0) {
        // Told unasked, and without end: wait until somebody wants to read or write again.
        end();
        return;
    }
    handler_.on_ready(
        (events & EPOLLIN) != 0 || (broken && (events_ & EPOLLIN) != 0),
        (events & EPOLLOUT) != 0 || (broken && (events_ & EPOLLOUT) != 0)
    );
}

}  // namespace veer::proxy::net
