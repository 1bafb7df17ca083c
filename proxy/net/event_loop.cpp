#include "proxy/net/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
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
    const std::size_t due_again = again_.size();
    bool woken = false;
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events.at(static_cast<std::size_t>(i));
        if (event.data.ptr == nullptr) {
            woken = true;
        } else {
            static_cast<Watch*>(event.data.ptr)->on_events(event.events);
        }
    }
    call_again(due_again);
    if (woken) {
        run_posted();
    }
    if (!timers_.empty()) {
        run_due_timers();
    }
    retired_.clear();
}

void EventLoop::call_again(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        if (Watch* const watch = again_[i]) {
            watch->again_ = false;
            watch->call(false);
        }
    }
    again_.erase(again_.begin(), again_.begin() + static_cast<std::ptrdiff_t>(count));
}

int EventLoop::wait_ms() const {
    if (!again_.empty()) {
        return 0;
    }
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
    const bool changed = registered_ ? write != wants_write_ : read || write;
    descriptor_ = descriptor;
    wants_read_ = read;
    wants_write_ = write;
    if (changed) {
        control(registered_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
        registered_ = true;
    }
    call_again_if_readable();
}

void EventLoop::Watch::call_again_if_readable() {
    if (registered_ && wants_read_ && readable_ && !again_) {
        loop_.again_.push_back(this);
        again_ = true;
    }
}

void EventLoop::Watch::end() noexcept {
    if (registered_) {
        epoll_ctl(loop_.epoll_, EPOLL_CTL_DEL, descriptor_, nullptr);
    }
    if (again_) {
        std::replace(loop_.again_.begin(), loop_.again_.end(), this, static_cast<Watch*>(nullptr));
    }
    registered_ = again_ = readable_ = ending_ = false;
}

void EventLoop::Watch::control(int operation) {
    epoll_event event{};
    // Room to write is told of only where it is wanted: a Unix socket tells it at every read of
    // its peer.
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (wants_write_ ? EPOLLOUT : 0U);
    event.data.ptr = this;
    if (epoll_ctl(loop_.epoll_, operation, descriptor_, &event) != 0) {
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
}

void EventLoop::Watch::on_events(std::uint32_t events) {
    const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
    ending_ = ending_ || broken || (events & EPOLLRDHUP) != 0;
    readable_ = readable_ || ending_ || (events & EPOLLIN) != 0;
    call(broken || (events & EPOLLOUT) != 0);
}

void EventLoop::Watch::call(bool writable) {
    const bool read = readable_ && wants_read_;
    const bool write = writable && wants_write_;
    if (!registered_ || !(read || write)) {
        return;
    }
    if (!guarded([&] { handler_.on_ready(read, write); })) {
        guarded([&] { handler_.on_failure(); });
    }
    call_again_if_readable();
}

}  // namespace veer::proxy::net
