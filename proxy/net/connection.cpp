#include "proxy/net/connection.hpp"

#include "proxy/wire/backend.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace veer::proxy::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Requests in flight of one client; as many as PgBouncer's or libpq's users pipeline at most, and
/// more.
constexpr std::size_t unanswered_max = 50'000;

session::Instant now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
}

void send_small_packets_at_once(Socket& socket) {
    error_code ignored;  // not a TCP socket: nothing to set
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
}

std::string fatal(std::string_view sqlstate, std::string_view message) {
    std::string bytes;
    wire::write_fatal(bytes, sqlstate, message);
    return bytes;
}

}  // namespace

Connection::Connection(Shared& shared, Socket client)
    : shared_(shared),
      client_(std::move(client)),
      connector_(client_.socket.get_executor()),
      timer_(client_.socket.get_executor()) {
    error_code ignored;
    client_.socket.non_blocking(true, ignored);
    send_small_packets_at_once(client_.socket);
}

Connection::~Connection() {
    if (counted_) {
        shared_.connections.fetch_sub(1);
    }
    if (waiter_ != 0) {
        shared_.replica.cancel(waiter_);
    }
}

void Connection::start() {
    arm_deadline(shared_.startup_timeout);
    read_startup();
}

void Connection::arm_deadline(std::chrono::milliseconds after) {
    timer_.expires_after(after);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
        if (!error && !self->session_) {
            const bool connecting = self->counted_;
            self->reject(
                connecting ? fatal("08001", "could not connect to the upstream server in time")
                           : fatal("57014", "canceling connection: start-up took too long")
            );
        }
    });
}

void Connection::read_startup() {
    client_.socket.async_read_some(
        asio::buffer(client_.in),
        [self = shared_from_this()](const error_code& error, std::size_t count) {
            if (error) {
                self->finish();
                return;
            }
            self->on_startup_bytes(count);
        }
    );
}

void Connection::on_startup_bytes(std::size_t count) {
    startup_bytes_.append(client_.in.data(), count);
    const session::StartupAction action = startup_.on_bytes(startup_bytes_);
    if (std::holds_alternative<session::ReadMore>(action)) {
        read_startup();
    } else if (const auto* reply = std::get_if<session::SendReply>(&action)) {
        startup_bytes_.clear();
        client_.out += reply->bytes;
        flush(client_);
        read_startup();
    } else if (const auto* forward = std::get_if<session::ForwardStartup>(&action)) {
        begin_session(*forward);
    } else if (const auto* cancel = std::get_if<session::ForwardCancel>(&action)) {
        relay_cancel(*cancel);
    } else {
        reject(std::get<session::Refuse>(action).bytes);
    }
}

void Connection::reject(const std::string& bytes) {
    connector_.cancel();
    client_.out += bytes;
    closing_ = true;
    flush(client_);
}

void Connection::begin_session(const session::ForwardStartup& forward) {
    counted_ = true;
    if (shared_.connections.fetch_add(1) >= shared_.connections_max) {
        reject(fatal("53300", "sorry, too many clients already"));
        return;
    }
    arm_deadline(shared_.connect_timeout);
    connector_.connect(
        shared_.upstream,
        shared_from_this(),
        [self = this, forward](bool connected, Socket socket, const std::string& problem) {
            if (self->closing_) {
                return;
            }
            if (!connected) {
                self->reject(fatal("08001", problem));
                return;
            }
            error_code ignored;
            socket.non_blocking(true, ignored);
            send_small_packets_at_once(socket);
            self->timer_.cancel();
            self->server_.emplace(std::move(socket));
            self->session_.emplace(
                self->shared_.session_options, self->shared_.router, forward.message
            );
            self->server_->out = forward.packet + forward.rest;
            self->flush(*self->server_);
            self->read_client();
            self->read_server();
        }
    );
}

void Connection::relay_cancel(const session::ForwardCancel& cancel) {
    connector_.connect(
        shared_.upstream,
        shared_from_this(),
        [self = this, packet = cancel.packet](bool connected, Socket socket, const std::string&) {
            if (!connected || self->closing_) {
                self->finish();
                return;
            }
            // The client waits until this side closes: as from Postgres, the cancel is done by
            // then.
            self->server_.emplace(std::move(socket));
            self->server_->out = packet;
            asio::async_write(
                self->server_->socket,
                asio::buffer(self->server_->out),
                [alive = self->shared_from_this()](const error_code&, std::size_t) {
                    alive->server_->socket.async_read_some(
                        asio::buffer(alive->server_->in),
                        [alive](const error_code&, std::size_t) { alive->finish(); }
                    );
                }
            );
        }
    );
}

void Connection::read_client() {
    const bool room = server_->unsent() < Pipe::out_bytes_max &&
                      client_.unsent() < Pipe::out_bytes_max &&
                      session_->unanswered() < unanswered_max &&
                      (!session_->paused() || session_->kept_bytes() < Pipe::out_bytes_max);
    if (client_.reading || client_.ended || closing_ || !room) {
        return;
    }
    client_.reading = true;
    client_.socket.async_read_some(
        asio::buffer(client_.in),
        [self = shared_from_this()](const error_code& error, std::size_t count) {
            self->client_.reading = false;
            self->on_client_read(error, count);
        }
    );
}

void Connection::read_server() {
    if (server_->reading || server_->ended || closing_ || client_.unsent() >= Pipe::out_bytes_max) {
        return;
    }
    server_->reading = true;
    server_->socket.async_read_some(
        asio::buffer(server_->in),
        [self = shared_from_this()](const error_code& error, std::size_t count) {
            self->server_->reading = false;
            self->on_server_read(error, count);
        }
    );
}

void Connection::on_client_read(error_code error, std::size_t count) {
    if (closing_) {
        return;
    }
    if (error == asio::error::eof) {
        // It may still want its answers: tell the server, and let that one end it.
        client_.ended = true;
        session_->on_client_ended();
        flush(*server_);
        return;
    }
    if (error) {
        finish();
        return;
    }
    session_->on_client({client_.in.data(), count}, now(), output_);
    carry_out(output_);
    read_client();
}

void Connection::on_server_read(error_code error, std::size_t count) {
    if (closing_) {
        return;
    }
    if (error) {
        server_->ended = true;
        session_->on_server_closed(output_);
    } else {
        session_->on_server({server_->in.data(), count}, now(), output_);
    }
    carry_out(output_);
    read_server();
    read_client();
    end_upstream_if_done();
}

void Connection::end_upstream_if_done() {
    if (client_.ended && !closing_) {
        flush(*server_);
    }
}

void Connection::carry_out(session::Output& output) {
    while (output.search) {
        const session::PendingSearch search = *std::exchange(output.search, std::nullopt);
        session_->on_found(search.number, search.order.run(), now(), output);
    }
    if (!output.to_server.empty()) {
        server_->out += output.to_server;
        output.to_server.clear();
        flush(*server_);
    }
    if (output.close) {
        closing_ = true;
    }
    if (!output.to_client.empty() || closing_) {
        client_.out += client_.gone ? "" : output.to_client;
        output.to_client.clear();
        flush(client_);
    }
    if (output.wait) {
        const session::Wait wait = *std::exchange(output.wait, std::nullopt);
        wait_for(wait);
    }
}

void Connection::flush(Pipe& pipe) {
    if (pipe.writing) {
        return;
    }
    error_code error;
    if (pipe.unsent() > 0) {
        pipe.sent +=
            pipe.socket.send(asio::buffer(pipe.out.data() + pipe.sent, pipe.unsent()), 0, error);
    }
    if (error && error != asio::error::would_block) {
        on_writable(pipe, error);
        return;
    }
    if (pipe.sent >= Pipe::out_bytes_max) {
        pipe.out.erase(0, pipe.sent);  // a slow reader never lets it run empty
        pipe.sent = 0;
    }
    if (pipe.unsent() > 0) {
        pipe.writing = true;
        // Waits rather than writes: `out` may grow, and move, until the socket has room.
        pipe.socket.async_wait(
            asio::socket_base::wait_write,
            [self = shared_from_this(), &pipe](const error_code& failed) {
                pipe.writing = false;
                self->on_writable(pipe, failed);
            }
        );
        return;
    }
    pipe.out.clear();
    pipe.sent = 0;
    if (closing_ && &pipe == &client_) {
        finish();
    } else if (&pipe != &client_ && session_->server_side_done()) {
        pipe.socket.shutdown(asio::socket_base::shutdown_send, error);
    }
}

void Connection::on_writable(Pipe& pipe, error_code error) {
    if (error) {
        // A server that is gone may have said why: what it sent is still read. A client that is
        // gone wants no answers, but what it has sent is carried out, as Postgres would.
        pipe.out.clear();
        pipe.sent = 0;
        if (&pipe == &client_) {
            client_.gone = true;
            client_.ended = true;
            if (session_) {
                session_->on_client_ended();
            }
            if (closing_ || !session_ || session_->server_side_done()) {
                finish();
            }
        }
        return;
    }
    flush(pipe);
    if (session_ && !closing_) {
        read_client();
        read_server();
    }
}

void Connection::wait_for(const session::Wait& wait) {
    if (closing_) {
        return;
    }
    const std::uint64_t number = ++wait_;
    auto self = shared_from_this();
    timer_.expires_at(
        std::chrono::steady_clock::time_point(std::chrono::nanoseconds(wait.deadline.nanoseconds))
    );
    timer_.async_wait([self, number](const error_code& error) {
        if (!error) {
            self->on_waited(number);
        }
    });
    // Weak: the replica outlives the io_contexts, and a connection must not.
    waiter_ = shared_.replica.wait_for(wait.position, [weak = weak_from_this(), number] {
        if (const auto alive = weak.lock()) {
            asio::post(alive->timer_.get_executor(), [alive, number] { alive->on_waited(number); });
        }
    });
    if (waiter_ == 0) {
        on_waited(number);
    } else {
        shared_.nudge();
    }
}

void Connection::on_waited(std::uint64_t wait) {
    if (wait != wait_ || closing_) {
        return;
    }
    ++wait_;
    timer_.cancel();
    if (waiter_ != 0) {
        shared_.replica.cancel(waiter_);
        waiter_ = 0;
    }
    session_->on_waited(now(), output_);
    carry_out(output_);
    read_client();
    read_server();
    end_upstream_if_done();
}

void Connection::finish() {
    closing_ = true;
    if (waiter_ != 0) {
        shared_.replica.cancel(waiter_);
        waiter_ = 0;
    }
    error_code ignored;
    timer_.cancel();
    connector_.cancel();
    client_.socket.shutdown(asio::socket_base::shutdown_both, ignored);
    client_.socket.close(ignored);
    if (server_) {
        server_->socket.close(ignored);
    }
}

}  // namespace veer::proxy::net
