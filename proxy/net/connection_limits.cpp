#include "proxy/net/connection.hpp"

// The time and the memory that one client may use, and the end of its session from outside.

namespace veer::proxy::net {

void Connection::watch_login_of_client(std::string_view bytes) {
    if (!login_->on_client(bytes)) {
        close();  // Postgres says nothing either
    }
}

void Connection::watch_login_of_server(std::string_view bytes) {
    login_->on_server(bytes);
    if (!login_->over()) {
        return;
    }
    login_.reset();
    worker_.loop.cancel(deadline_);
    if (shared_.client_idle_timeout.count() > 0) {
        arm_idle_timer(EventLoop::Clock::now() + shared_.client_idle_timeout);
    }
}

void Connection::arm_idle_timer(EventLoop::Clock::time_point when) {
    idle_timer_ = worker_.loop.at(when, [this] { guarded([this] { on_idle_timer(); }); });
}

void Connection::on_idle_timer() {
    if (stage_ != Stage::relaying) {
        return;
    }
    // One timer for all messages: it comes too early, and looks when it should have come.
    const EventLoop::Clock::time_point active{std::chrono::nanoseconds(last_active_.nanoseconds)};
    const EventLoop::Clock::time_point now = EventLoop::Clock::now();
    if (active + shared_.client_idle_timeout > now) {
        arm_idle_timer(active + shared_.client_idle_timeout);
    } else if (!session_->at_rest()) {
        arm_idle_timer(now + shared_.client_idle_timeout);
    } else {
        session_->on_idle_timeout(worker_.output);
        carry_out(worker_.output);
        settle();
    }
}

void Connection::drain() {
    guarded([this] {
        if (stage_ == Stage::starting || stage_ == Stage::connecting) {
            refuse("57P03", "the database system is shutting down");
        }
        settle();
    });
}

void Connection::end() {
    guarded([this] {
        shut_down();
        settle();
    });
}

bool Connection::at_rest() const {
    return (stage_ == Stage::relaying && session_->at_rest()) ||
           (stage_ == Stage::conversing && dialogue_->at_rest());
}

void Connection::shut_down() {
    if (stage_ == Stage::relaying) {
        session_->on_shutdown(worker_.output);
        carry_out(worker_.output);
    } else if (stage_ == Stage::conversing) {
        dialogue_->on_shutdown(worker_.output);
        carry_out_dialogue();
    } else if (stage_ != Stage::closing) {
        close();
    }
}

std::size_t Connection::unsent_bytes_max() const {
    // Where all sessions together hold too much, each reads only what it can pass on at once.
    const bool crowded =
        shared_.unsent_bytes.load(std::memory_order_relaxed) > shared_.unsent_bytes_max;
    return crowded ? 1 : shared_.session_bytes_max / 2;
}

void Connection::account() {
    const std::size_t unsent = client_.unsent() + (server_ ? server_->unsent() : 0);
    if (unsent != accounted_) {
        shared_.unsent_bytes.fetch_add(unsent - accounted_);  // wraps around where it is less
        accounted_ = unsent;
    }
}

}  // namespace veer::proxy::net
