#include "proxy/net/connection.hpp"
#include "proxy/net/post_surely.hpp"

#include <boost/asio/post.hpp>

#include <chrono>

// A search that needs the index to have caught up waits here, not the thread; nor does the thread
// wait for a long one, or for a disk.

namespace veer::proxy::net {

void Connection::wait_for(const session::Wait& wait) {
    if (stage_ != Stage::relaying) {
        return;
    }
    stop_waiting();  // a cancel may have ended the last wait without a word
    const auto waited =
        task(weak_from_this(), [number = wait_](Connection& self) { self.on_waited(number); });
    wait_timer_ = worker_.loop.at(
        EventLoop::Clock::time_point(std::chrono::nanoseconds(wait.deadline.nanoseconds)), waited
    );
    // Weak: the replica outlives the workers, and a connection must not.
    waiter_ = shared_.replica.wait_for(wait.position, [waited, &loop = worker_.loop] {
        loop.post(waited);
    });
    if (waiter_ == 0) {
        on_waited(wait_);
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

/// Has `work` done by the pool, and `tell` called with what it returns, in a task of this loop's,
/// if the connection is still there: with `without_memory` where it throws. All that telling takes
/// is made here: the other thread has nobody to tell of a lack of memory, and what leaves it ends
/// the process.
template <class Answer, class Work, class Tell>
void Connection::work_aside(
    boost::asio::thread_pool& pool, Answer without_memory, Work work, Tell tell
) {
    const auto answer = std::make_shared<Answer>(std::move(without_memory));
    const EventLoop::Task told =
        task(weak_from_this(), [answer, tell](Connection& self) { tell(self, *answer); });
    boost::asio::post(pool, [&loop = worker_.loop, work = std::move(work), answer, told] {
        try {
            *answer = work();
        } catch (const std::exception&) {  // it stays what it is
        }
        post_surely(loop, told);
    });
}

/// On a thread of its own; false where too many wait for one already.
bool Connection::search_aside(const session::PendingSearch& search) {
    abandon_search();  // one that a cancel has ended without a word
    const std::shared_ptr<void> place = search.order.candidate ? nullptr : place_for_search();
    if (!search.order.candidate && !place) {
        return false;
    }
    if (search.deadline) {
        timed_search_ = search.number;
        search_timer_ = worker_.loop.at(
            EventLoop::Clock::time_point(std::chrono::nanoseconds(search.deadline->nanoseconds)),
            task(
                weak_from_this(),
                [number = search.number](Connection& self) {
                    self.on_found(number, index::make_error_code(index::Errc::cancelled));
                }
            )
        );
    }
    search_abandoned_ = std::make_shared<std::atomic<bool>>(false);
    router::SearchOrder order = search.order;
    order.abandoned = search_abandoned_;
    work_aside<router::Found>(
        search.order.candidate ? shared_.searches_elsewhere : shared_.long_searches,
        index::make_error_code(index::Errc::out_of_memory),
        [order = std::move(order), place] { return order.run(); },
        [number = search.number](Connection& self, const router::Found& found) {
            self.on_found(number, found);
        }
    );
    return true;
}

/// Null where as many searches wait as there may be sessions: some were abandoned.
std::shared_ptr<void> Connection::place_for_search() {
    const auto leave = [](std::atomic<std::size_t>* waiting) {
        waiting->fetch_sub(1);
    };
    shared_.searches_waiting.fetch_add(1);
    const std::shared_ptr<std::atomic<std::size_t>> place{&shared_.searches_waiting, leave};
    return shared_.searches_waiting.load() > shared_.connections_max ? nullptr : place;
}

/// Here, but behind what the thread's other sessions wait for.
void Connection::search_soon(const session::PendingSearch& search) {
    worker_.loop.post(task(weak_from_this(), [search](Connection& self) {
        self.on_found(search.number, search.order.run());
    }));
}

/// Whoever carries it out stops soon; on_found() may still come, and is too late.
void Connection::abandon_search() {
    worker_.loop.cancel(search_timer_);
    if (const auto abandoned = std::exchange(search_abandoned_, nullptr)) {
        abandoned->store(true);
    }
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

/// On a thread that may wait for the disk. It is done though its client has gone meanwhile.
void Connection::change_aside(session::PendingChange change) {
    work_aside<std::optional<router::Complaint>>(
        shared_.changes,
        router::Complaint{
            .sqlstate = "53200",
            .message = "veer found no memory to store its declared routes",
            .hint = {}},
        std::move(change.make),
        [number = change.number](Connection& self, const std::optional<router::Complaint>& why) {
            self.on_changed(number, why);
        }
    );
}

void Connection::on_changed(std::uint64_t number, const std::optional<router::Complaint>& why) {
    if (stage_ == Stage::relaying) {
        session_->on_changed(number, why, session_now(), worker_.output);
        carry_out(worker_.output);
        settle();
    }
}

/// A session that has answered more than a client should have to take at once goes on when that has
/// read it: in a task of its own, so that the thread's other sessions have their turn.
void Connection::make_room() {
    const bool room = client_.gone || client_.unsent() < unsent_bytes_max();
    if (stage_ == Stage::relaying && session_->full() && room && !making_room_) {
        making_room_ = true;
        worker_.loop.post(task(weak_from_this(), [](Connection& self) { self.on_room(); }));
    }
}

void Connection::on_room() {
    making_room_ = false;
    if (stage_ == Stage::relaying) {
        session_->on_room(session_now(), worker_.output);
        carry_out(worker_.output);
        settle();
    }
}

void Connection::stop_waiting() {
    ++wait_;
    worker_.loop.cancel(wait_timer_);
    abandon_search();
    if (waiter_ != 0) {
        shared_.replica.cancel(std::exchange(waiter_, 0));
    }
}

}  // namespace veer::proxy::net
