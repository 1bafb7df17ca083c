#include "proxy/net/event_loop.hpp"

#include <boost/asio/post.hpp>

#include <cstdio>
#include <exception>
#include <utility>

namespace veer::proxy::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

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

// One thread runs it, and descriptors and timers are touched by that thread only: Asio need not
// lock them. post() is locked all the same.
EventLoop::EventLoop()
    : context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO), work_(asio::make_work_guard(context_)) {}

void EventLoop::run() {
    while (!context_.stopped()) {
        guarded([this] { context_.run(); });
    }
}

void EventLoop::post(Task task) {
    asio::post(context_, [this, task = std::move(task)] { run_task(task); });
}

void EventLoop::run_task(const Task& task) const {
    if (!guarded(task)) {
        guarded(on_task_failure);
    }
}

void EventLoop::retire(std::shared_ptr<void> object) {
    asio::post(context_, [object = std::move(object)] {});
}

EventLoop::TimerId EventLoop::at(Clock::time_point when, Task task) {
    const std::uint64_t number = ++last_timer_;
    const auto [made, inserted] = timers_.try_emplace(
        number, Timer{.timer = asio::steady_timer(context_, when), .task = std::move(task)}
    );
    made->second.timer.async_wait([this, number](const error_code& error) {
        if (!error) {
            on_timer(number);
        }
    });
    return {.number = number};
}

void EventLoop::on_timer(std::uint64_t number) {
    if (const auto due = timers_.extract(number)) {
        run_task(due.mapped().task);
    }
}

void EventLoop::cancel(TimerId& timer) {
    timers_.erase(std::exchange(timer.number, 0));
}

void EventLoop::Watch::want(int descriptor, bool read, bool write) {
    wants_read_ = read;
    wants_write_ = write;
    if (!descriptor_) {
        if (!read && !write) {
            return;
        }
        link_ = std::make_shared<Link>(Link{.watch = this});
        descriptor_.emplace(loop_.context_.get_executor(), descriptor);
    }
    wait_for_wanted();
}

void EventLoop::Watch::wait_for_wanted() {
    if (wants_read_ && !link_->reads) {
        wait<true>();
    }
    if (wants_write_ && !link_->writes) {
        wait<false>();
    }
}

template <bool Reading>
void EventLoop::Watch::wait() {
    (Reading ? link_->reads : link_->writes) = true;
    descriptor_->async_wait(
        Reading ? Descriptor::wait_read : Descriptor::wait_write,
        [link = link_](const error_code&) {
            (Reading ? link->reads : link->writes) = false;
            if (link->watch != nullptr) {
                link->watch->on_ready(Reading, !Reading);
            }
            if (link->watch != nullptr) {
                link->watch->wait_for_wanted();
            }
        }
    );
}

void EventLoop::Watch::on_ready(bool readable, bool writable) {
    // Wanted no more: want() looks again.
    if (!(readable && wants_read_) && !(writable && wants_write_)) {
        return;
    }
    if (!guarded([&] { handler_.on_ready(readable, writable); })) {
        guarded([&] { handler_.on_failure(); });
    }
}

void EventLoop::Watch::end() {
    if (descriptor_) {
        link_->watch = nullptr;
        descriptor_->release();
        descriptor_.reset();
        link_.reset();
    }
}

}  // namespace veer::proxy::net
