#include "proxy/net/connection.hpp"

#include <boost/asio/post.hpp>

// A search that needs the index to have caught up waits here, not the thread; nor does the thread
// wait for a long one.

namespace veer::proxy::net {

void Connection::wait_for(const session::Wait& wait) {
    if (stage_ != Stage::relaying) {
        return;
    }
    stop_waiting();  // a cancel may have ended the last wait without a word
    const std::uint64_t number = wait_;
    wait_timer_ = worker_.loop.at(
        EventLoop::Clock::time_point(std::chrono::nanoseconds(wait.deadline.nanoseconds)),
        [weak = weak_from_this(), number] {
            if (const auto alive = weak.lock()) {
                alive->on_waited(number);
            }
        }
    );
    // Weak: the replica outlives the workers, and a connection must not.
    waiter_ = shared_.replica.wait_for(
        wait.position,
        [weak = weak_from_this(), &loop = worker_.loop, number] {
            loop.post([weak, number] {
                if (const auto alive = weak.lock()) {
                    alive->on_waited(number);
                }
            });
        }
    );
    if (waiter_ == 0) {
        on_waited(number);
    } else {
        shared_.nudge();
    }
}

void Connection::on_waited(std::uint64_t wait) {
    if (wait != wait_ || stage_ != Stage::relaying) {
        return;
    }
    stop_waiting();
    session_->on_waited(session_now(), worker_.output);
    carry_out(worker_.output);
    settle();
}

void Connection::search_aside(session::PendingSearch search) {
    if (search.deadline) {
        worker_.loop.cancel(search_timer_);  // of a search that a cancel has ended without a word
        timed_search_ = search.number;
        search_timer_ = worker_.loop.at(
            EventLoop::Clock::time_point(std::chrono::nanoseconds(search.deadline->nanoseconds)),
            [weak = weak_from_this(), number = search.number] {
                if (const auto alive = weak.lock()) {
                    alive->on_found(number, index::make_error_code(index::Errc::cancelled));
                }
            }
        );
    }
    boost::asio::post(
        search.order.candidate ? shared_.searches_elsewhere : shared_.long_searches,
        [weak = weak_from_this(), &loop = worker_.loop, search = std::move(search)] {
            loop.post([weak, number = search.number, found = search.order.run()] {
                if (const auto alive = weak.lock()) {
                    alive->on_found(number, found);
                }
            });
        }
    );
}

void Connection::on_found(std::uint64_t number, const router::Found& found) {
    if (stage_ != Stage::relaying) {
        return;
    }
    if (number == timed_search_) {  // not one that comes too late
        worker_.loop.cancel(search_timer_);
    }
    session_->on_found(number, found, session_now(), worker_.output);
    carry_out(worker_.output);
    settle();
}

void Connection::stop_waiting() {
    ++wait_;
    worker_.loop.cancel(wait_timer_);
    worker_.loop.cancel(search_timer_);
    if (waiter_ != 0) {
        shared_.replica.cancel(std::exchange(waiter_, 0));
    }
}

}  // namespace veer::proxy::net
