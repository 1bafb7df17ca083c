#include "proxy/net/connection.hpp"

#include "proxy/auth/crypto.hpp"

#include <openssl/crypto.h>

namespace veer::proxy::net {

namespace {

/// Requests in flight of one client; as many as PgBouncer's or libpq's users pipeline at most, and
/// more.
constexpr std::size_t unanswered_max = 50'000;

/// A client that is to be told something last has so long to take a part of it.
constexpr std::chrono::seconds last_words_timeout{10};

/// Searches of one session that is pipelined to, before the thread's other sessions have their
/// turn.
constexpr std::size_t searches_at_once = 8;

/// Output keeps its memory from event to event, but not that of an unusual one.
constexpr std::size_t output_bytes_kept_max = std::size_t{256} * 1024;

std::int64_t microseconds_since_1970() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

void clear(std::string& bytes) {
    bytes.clear();
    if (bytes.capacity() > output_bytes_kept_max) {
        bytes.shrink_to_fit();
    }
}

}  // namespace

session::Instant session_now() {
    const auto since = EventLoop::Clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
}

Connection::Connection(Shared& shared, Worker& worker, Socket client, bool local)
    : shared_(shared),
      worker_(worker),
      client_(worker.loop, client_side_, std::move(client)),
      security_(shared.security.get()),
      greeting_(local ? std::make_shared<const ListenTls>() : security_->listen),
      number_(shared.accepted.fetch_add(1) + 1),
      connected_at_(microseconds_since_1970()),
      local_(local) {
    client_.socket.send_small_packets_at_once();
    shared_.sockets.fetch_add(1);
}

Connection::~Connection() {
    // Timers are gone by now: with close(), or with the loop.
    if (search_abandoned_) {
        search_abandoned_->store(true);
    }
    if (waiter_ != 0) {
        shared_.replica.cancel(waiter_);
    }
    if (counted_) {
        shared_.connections.fetch_sub(1);
    }
    if (canceling_) {
        shared_.cancels.fetch_sub(1);
    }
    if (in_dialogues_) {
        shared_.dialogues.fetch_sub(1);
    }
    if (!cancel_key_.empty()) {
        shared_.sessions.remove(cancel_key_, *this);
    }
    shared_.unsent_bytes.fetch_sub(accounted_);
    if (shared_.sockets.fetch_sub(1) == 1 && shared_.draining.load()) {
        shared_.all_gone();
    }
}

void Connection::on_client_ready(bool readable, bool writable) {
    if (writable && client_.send_waiting()) {
        client_.gone = true;
    }
    if (readable && stage_ == Stage::starting) {
        read_startup();
    } else if (readable && stage_ == Stage::relaying) {
        read_client();
    } else if (readable && stage_ == Stage::conversing) {
        converse();
    }
    settle();
}

void Connection::on_server_ready(bool readable, bool writable) {
    if (writable && server_->send_waiting()) {
        server_->gone = true;
    }
    if (readable && stage_ == Stage::relaying) {
        read_server();
    }
    settle();
}

void Connection::read_client() {
    const bool secret = login_.has_value();
    take_from_client();
    if (secret) {
        // What a client says before it is let in may be its password.
        OPENSSL_cleanse(worker_.in.data(), worker_.in.size());
        client_.layer.wipe_opened();
    }
}

void Connection::take_from_client() {
    const Socket::Result result = client_.socket.receive(worker_.in);
    if (result.would_block) {
        return;
    }
    if (result.bytes == 0) {
        // After a plain end it may still want its answers. Where it is gone, what it has sent is
        // carried out, as Postgres would.
        client_.ended = true;
        session_->on_client_ended();
        client_.gone = client_.gone || result.error;
        return;
    }
    const std::string_view bytes = client_.open({worker_.in.data(), result.bytes});
    if (login_) {
        watch_login_of_client(bytes);
        if (stage_ != Stage::relaying) {
            return;
        }
    }
    if (!bytes.empty()) {
        on_client_bytes(bytes);
    }
    if (client_.ended && stage_ == Stage::relaying) {
        session_->on_client_ended();  // by TLS' own word for it
    }
    carry_out(worker_.output);
}

void Connection::read_server() {
    const Socket::Result result = server_->socket.receive(worker_.in);
    if (result.would_block) {
        return;
    }
    if (result.bytes == 0) {
        server_->ended = true;
    } else {
        const std::string_view bytes = server_->open({worker_.in.data(), result.bytes});
        if (!bytes.empty()) {
            on_server_bytes(bytes);
        }
        if (!server_) {
            return;  // the next one may like the client better
        }
    }
    if (server_->ended && stage_ == Stage::relaying) {
        session_->on_server_closed(worker_.output);
    }
    carry_out(worker_.output);
    if (cancel_key_.empty() && !session_->backend_key().empty()) {
        register_key();
    }
}

bool Connection::may_read_client() const {
    if (stage_ == Stage::starting) {
        return client_.unsent() == 0;
    }
    if (stage_ == Stage::conversing) {
        return may_read_dialogue();
    }
    if (stage_ != Stage::relaying || client_.ended || retried_) {
        return false;
    }
    const std::size_t most = unsent_bytes_max();
    return server_->unsent() < most && client_.unsent() < most &&
           session_->unanswered() < unanswered_max &&
           (!session_->paused() || session_->kept_bytes() < most);
}

bool Connection::may_read_server() const {
    return stage_ == Stage::relaying && !server_->ended && client_.unsent() < unsent_bytes_max();
}

void Connection::carry_out(session::Output& output) {
    for (std::size_t searches = 0; output.search; ++searches) {
        session::PendingSearch search = *std::exchange(output.search, std::nullopt);
        if (search.gives_up) {
            search.order.deadline =
                EventLoop::Clock::time_point(std::chrono::nanoseconds(search.gives_up->nanoseconds)
                );
        }
        if (search.order.long_running()) {
            if (!search_aside(search)) {
                const auto busy = index::make_error_code(index::Errc::busy);
                session_->on_found(search.number, busy, session_now(), output);
            }
        } else if (searches >= searches_at_once) {
            search_soon(search);
        } else {
            const router::Found found = search.order.run();
            session_->on_found(search.number, found, session_now(), output);
        }
    }
    if (output.change) {
        change_aside(*std::exchange(output.change, std::nullopt));
    }
    if (server_->send(output.to_server)) {
        server_->gone = true;  // it may have said why: what it sent is still read
    }
    if (login_) {
        auth::wipe(output.to_server);
    }
    clear(output.to_server);
    if (client_.send(output.to_client)) {
        client_.gone = true;
    }
    clear(output.to_client);
    if (std::exchange(output.close, false)) {
        begin_closing();
    }
    if (output.wait) {
        const session::Wait wait = *std::exchange(output.wait, std::nullopt);
        wait_for(wait);
    }
}

void Connection::settle() {
    if (stage_ == Stage::closed) {
        return;
    }
    account();
    if (shared_.draining.load(std::memory_order_relaxed) && at_rest()) {
        shut_down();
    }
    const bool served_out =
        client_.gone && client_.ended && (!session_ || session_->server_side_done());
    const bool said_all = stage_ == Stage::closing && (client_.unsent() == 0 || client_.gone);
    if (served_out || said_all || (client_.gone && !session_)) {
        close();
        return;
    }
    if (stage_ == Stage::relaying && !told_end_ && server_->unsent() == 0 &&
        session_->server_side_done()) {
        told_end_ = true;
        server_->say_goodbye();
        server_->socket.shut_down_sending();
    }
    make_room();
    client_.watch.want(client_.socket.descriptor(), may_read_client(), client_.unsent() > 0);
    if (server_) {
        server_->watch.want(server_->socket.descriptor(), may_read_server(), server_->unsent() > 0);
    }
}

void Connection::begin_closing() {
    stage_ = Stage::closing;
    client_.say_goodbye();
    stop_waiting();
    worker_.loop.cancel(deadline_);
    deadline_ = worker_.loop.at(
        EventLoop::Clock::now() + last_words_timeout,
        [this, before = client_.unsent()] {
            if (client_.unsent() == before) {
                close();
            } else {
                begin_closing();
            }
        }
    );
}

void Connection::close() {
    if (std::exchange(stage_, Stage::closed) == Stage::closed) {
        return;
    }
    stop_waiting();
    worker_.loop.cancel(deadline_);
    worker_.loop.cancel(idle_timer_);
    worker_.output = {};
    if (opener_) {
        opener_->cancel();
    }
    client_.watch.end();
    client_.socket.close();
    if (server_) {
        server_->watch.end();
        server_->say_goodbye();
        server_->socket.close();
    }
    const auto self = shared_from_this();
    worker_.connections.erase(self);
    worker_.loop.retire(self);
}

}  // namespace veer::proxy::net
