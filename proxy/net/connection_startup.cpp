#include "proxy/net/connection.hpp"
#include "proxy/wire/backend.hpp"

#include <span>

// Until the session begins: start-up packets, and the connection to Postgres.

namespace veer::proxy::net {

namespace {

/// Of one read: a start-up packet and what a hasty client sends with it.
constexpr std::size_t startup_read_bytes_max = std::size_t{16} * 1024;

}  // namespace

void Connection::start() {
    worker_.connections.insert(shared_from_this());
    deadline_ = worker_.loop.at(EventLoop::Clock::now() + shared_.authentication_timeout, [this] {
        on_login_deadline();
    });
    if (shared_.draining.load()) {
        drain();
    } else if (shared_.sockets.load() > shared_.sockets_max()) {
        refuse("53300", "sorry, too many clients already");
    }
    settle();
}

void Connection::on_login_deadline() {
    refuse("57014", "canceling authentication due to timeout");
    settle();
}

void Connection::read_startup() {
    const Socket::Result result =
        client_.socket.receive(std::span(worker_.in).first(startup_read_bytes_max));
    if (result.would_block) {
        return;
    }
    if (result.bytes == 0) {
        close();
        return;
    }
    std::string answer;
    const session::StartupAction action =
        greeting_->on_bytes({worker_.in.data(), result.bytes}, answer);
    client_.gone = static_cast<bool>(client_.send_as_it_is(answer));
    on_startup_action(action);
}

void Connection::on_startup_action(const session::StartupAction& action) {
    if (const auto* forward = std::get_if<session::ForwardStartup>(&action)) {
        note_client(forward->message);
        if (!begin_dialogue(*forward)) {
            connect_upstream(*forward);
        }
    } else if (const auto* cancel = std::get_if<session::ForwardCancel>(&action)) {
        on_cancel_request(cancel->packet);
    } else if (std::holds_alternative<session::Refuse>(action)) {
        if (!greeting_->problem().empty()) {
            security_->warn("a client's TLS handshake failed: " + greeting_->problem());
        }
        begin_closing();  // the greeting has said why
    }
}

void Connection::note_client(const wire::StartupMessage& message) {
    constexpr std::size_t name_bytes_max = 63;  // of Postgres, which cuts off the rest
    user_ = message.parameter("user").substr(0, name_bytes_max);
    database_ = message.parameter("database").substr(0, name_bytes_max);
    database_ = database_.empty() ? user_ : database_;
    application_name_ = message.parameter("application_name").substr(0, name_bytes_max);
}

void Connection::refuse(std::string_view sqlstate, std::string_view message) {
    std::string bytes;
    wire::write_fatal(bytes, sqlstate, message);
    refuse(bytes);
}

void Connection::refuse(const std::string& bytes) {
    if (opener_) {
        opener_->cancel();
    }
    if (greeting_ && greeting_->can_be_told()) {
        client_.layer = greeting_->take_layer();
    }
    if (!greeting_ || greeting_->can_be_told()) {
        client_.gone = static_cast<bool>(client_.send(bytes));
    }
    begin_closing();
}

void Connection::connect_upstream(const session::ForwardStartup& forward) {
    counted_ = true;
    if (shared_.connections.fetch_add(1) >= shared_.connections_max) {
        refuse("53300", "sorry, too many clients already");
        return;
    }
    stage_ = Stage::connecting;
    client_.layer = greeting_->take_layer();
    greeting_.reset();
    choose_upstream(forward, EventLoop::Clock::now() + shared_.connect_timeout);
}

void Connection::choose_upstream(
    const session::ForwardStartup& forward, EventLoop::Clock::time_point deadline
) {
    const EventLoop::Clock::time_point now = EventLoop::Clock::now();
    const std::vector<Endpoint> candidates = shared_.upstreams.candidates(now);
    if (!candidates.empty()) {
        try_upstreams(forward, candidates);
        return;
    }
    if (now >= deadline) {
        refuse("08001", "no upstream server fits target_session_attrs");
        return;
    }
    // At veer's own start, or while one server takes over from another.
    const auto choose_again = [this, forward, deadline] {
        if (stage_ == Stage::connecting && !opener_) {
            worker_.loop.cancel(wait_timer_);
            choose_upstream(forward, deadline);
            settle();
        }
    };
    wait_timer_ = worker_.loop.at(deadline, choose_again);
    shared_.upstreams.await_look([weak = weak_from_this(), &loop = worker_.loop, choose_again] {
        loop.post([weak, choose_again] {
            if (weak.lock()) {
                choose_again();
            }
        });
    });
}

void Connection::try_upstreams(
    const session::ForwardStartup& forward, const std::vector<Endpoint>& candidates
) {
    opener_.emplace(worker_.loop, shared_.connect_timeout, security_->upstream);
    opener_->on_endpoint_failed([this](const Endpoint& endpoint) {
        shared_.upstreams.note_failure(endpoint, EventLoop::Clock::now());
    });
    opener_->open(candidates, weak_from_this(), [this, forward](UpstreamOpener::Opened opened) {
        if (opened.socket.open()) {
            begin_session(forward, std::move(opened));
        } else {
            refuse("08001", opened.problem);
        }
        settle();
    });
}

void Connection::begin_session(
    const session::ForwardStartup& forward, UpstreamOpener::Opened opened
) {
    stage_ = Stage::relaying;
    server_address_ = opened.address;
    server_endpoint_ = opened.endpoint;
    server_ = std::make_shared<Pipe>(worker_.loop, server_side_, std::move(opened.socket));
    server_->layer = std::move(opened.layer);
    session_.emplace(shared_.session_options, shared_.router, forward.message);
    session_->set_client_address(peer_of(client_.socket.descriptor()).text);
    login_.emplace();
    if (opener_->has_other_way()) {
        retried_ = forward;
    }
    server_->gone = static_cast<bool>(server_->send(forward.packet));
    begin_authentication(forward);
}

}  // namespace veer::proxy::net
