#include "proxy/net/cancel_relay.hpp"
#include "proxy/net/connection.hpp"
#include "proxy/net/post_surely.hpp"

#include <algorithm>

// CancelRequests: those that a client brings, and those that are meant for this session.

namespace veer::proxy::net {

namespace {

/// Length and code; process id and secret key follow (manual 55.7).
constexpr std::size_t cancel_key_offset = 8;

/// A key that nobody has may be of another veer in front of the same servers, or of one before a
/// restart: so many servers are told.
constexpr std::size_t servers_told_max = 8;

}  // namespace

void Connection::on_cancel_request(const std::string& packet) {
    stage_ = Stage::canceling;
    worker_.loop.cancel(deadline_);
    canceling_ = true;
    if (shared_.cancels.fetch_add(1) >= shared_.cancels_max()) {
        close();
        return;
    }
    // The client waits until this side closes: as from Postgres, the cancel is done by then.
    const EventLoop::Task closing = [weak = weak_from_this()] {
        if (const auto alive = weak.lock()) {
            alive->close();
        }
    };
    auto close_here = [closing, &loop = worker_.loop] {
        post_surely(loop, closing);
    };
    const bool known = shared_.sessions.visit(
        packet.substr(cancel_key_offset),
        [packet, close_here](Connection* session) {
            if (session == nullptr) {
                close_here();
            } else {
                session->cancel_statement(packet, close_here);
            }
        }
    );
    if (!known) {
        tell_every_server(packet, close_here);
    }
}

void Connection::tell_every_server(const std::string& packet, const EventLoop::Task& done) {
    std::vector<Endpoint> servers;
    for (const Endpoint& server : shared_.upstreams.hosts()) {
        const bool repeated = std::find(servers.begin(), servers.end(), server) != servers.end();
        if (!repeated && servers.size() < servers_told_max) {
            servers.push_back(server);
        }
    }
    const auto left = std::make_shared<std::size_t>(servers.size());
    for (const Endpoint& server : servers) {
        CancelRelay::start(
            worker_,
            {.endpoints = {server}},
            packet,
            shared_.connect_timeout,
            security_->upstream,
            [left, done] {
                if (--*left == 0) {
                    done();
                }
            }
        );
    }
}

void Connection::cancel_statement(const std::string& packet, const EventLoop::Task& done) {
    if (stage_ != Stage::relaying) {
        done();
        return;
    }
    try {
        auto action = session::Session::CancelAction::nothing;
        guarded([&] {
            abandon_search();  // should the session still want it, Postgres gets the statement
            action = session_->on_cancel(session_now(), worker_.output);
            carry_out(worker_.output);
        });
        if (action == session::Session::CancelAction::nothing) {
            settle();
            done();
            return;
        }
        CancelRelay::start(
            worker_,
            {.address = server_address_, .endpoint = server_endpoint_},
            packet,
            shared_.connect_timeout,
            security_->upstream,
            [relayed = task(weak_from_this(), [](Connection& self) { self.on_cancel_relayed(); }),
             done] {
                done();
                relayed();  // may fail
            }
        );
    } catch (...) {
        done();  // whoever cancels has no deadline, and waits for this one
        throw;
    }
    settle();
}

void Connection::on_cancel_relayed() {
    if (stage_ == Stage::relaying) {
        session_->on_cancel_relayed(session_now(), worker_.output);
        carry_out(worker_.output);
        settle();
    }
}

void Connection::register_key() {
    cancel_key_ = session_->backend_key();
    shared_.sessions.add(cancel_key_, worker_.loop, weak_from_this());
}

}  // namespace veer::proxy::net
