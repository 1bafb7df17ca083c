#include "proxy/net/upstream_opener.hpp"

#include <array>
#include <utility>

namespace veer::proxy::net {

namespace {

constexpr std::size_t read_bytes_max = std::size_t{16} * 1024;

}  // namespace

UpstreamOpener::UpstreamOpener(EventLoop& loop, std::chrono::milliseconds timeout, UpstreamTls tls)
    : loop_(loop),
      timeout_(timeout),
      tls_(std::move(tls)),
      connector_(loop, timeout),
      encrypt_(tls_.encrypts_first()) {}

void UpstreamOpener::open(std::vector<Endpoint> endpoints, std::weak_ptr<void> owner, Done done) {
    done_ = std::move(done);
    connector_.connect(
        std::move(endpoints),
        std::move(owner),
        [this](UpstreamConnector::Connected connected) {
            endpoint_ = connected.endpoint;
            on_connected(std::move(connected));
        }
    );
}

void UpstreamOpener::open(const Address& address, const Endpoint& endpoint, Done done) {
    done_ = std::move(done);
    address_ = address;
    endpoint_ = endpoint;
    again(encrypt_);
}

void UpstreamOpener::open_other_way(Done done) {
    other_way_tried_ = true;
    done_ = std::move(done);
    again(!encrypt_);
}

bool UpstreamOpener::has_other_way() const {
    return !other_way_tried_ && !endpoint_.unix_socket() && tls_.has_other_way(encrypt_);
}

void UpstreamOpener::again(bool encrypt) {
    encrypt_ = encrypt;
    connector_.connect(address_, [this](UpstreamConnector::Connected connected) {
        on_connected(std::move(connected));
    });
}

void UpstreamOpener::cancel() {
    done_ = nullptr;
    stop_shaking();
    connector_.cancel();
    if (server_) {
        server_->socket.close();
    }
}

void UpstreamOpener::stop_shaking() {
    loop_.cancel(timer_);
    if (server_) {
        server_->watch.end();
    }
}

void UpstreamOpener::on_connected(UpstreamConnector::Connected connected) {
    if (!connected.socket.open()) {
        fail(connected.problem);
        return;
    }
    address_ = connected.address;
    if (server_) {
        loop_.retire(std::move(server_));  // perhaps it is this one's event that led here
    }
    server_ = std::make_shared<Pipe>(
        loop_, static_cast<EventLoop::Handler&>(*this), std::move(connected.socket)
    );
    if (!encrypt_ || endpoint_.unix_socket()) {
        finish({});
        return;
    }
    timer_ = loop_.at(EventLoop::Clock::now() + timeout_, [this] {
        stop_shaking();
        fail("could not connect to the upstream server: timeout expired");
    });
    std::string first;
    handshake_.emplace(tls_, endpoint_.certificate_name, first);
    if (const std::error_code error = server_->send_as_it_is(first)) {
        stop_shaking();
        fail("could not connect to the upstream server: " + error.message());
        return;
    }
    server_->watch.want(server_->socket.descriptor(), true, server_->unsent() > 0);
}

void UpstreamOpener::on_ready(bool readable, bool writable) {
    if (done_ == nullptr) {
        return;
    }
    if (writable && server_->send_waiting()) {
        handshake_->on_end();
        on_broken();
        return;
    }
    if (readable) {
        std::array<char, read_bytes_max> in;  // NOLINT(*-member-init)
        const Socket::Result result = server_->socket.receive(in);
        if (!result.would_block) {
            on_bytes({in.data(), result.bytes});
            return;
        }
    }
    server_->watch.want(server_->socket.descriptor(), true, server_->unsent() > 0);
}

void UpstreamOpener::on_bytes(std::string_view bytes) {
    if (bytes.empty()) {
        handshake_->on_end();
        on_broken();
        return;
    }
    std::string answer;
    const UpstreamHandshake::Status status = handshake_->on_bytes(bytes, answer);
    const std::error_code error = server_->send_as_it_is(answer);
    switch (status) {
        case UpstreamHandshake::Status::under_way:
            if (error) {
                handshake_->on_end();
                on_broken();
                return;
            }
            server_->watch.want(server_->socket.descriptor(), true, server_->unsent() > 0);
            return;
        case UpstreamHandshake::Status::done: {
            TlsLayer layer = handshake_->take_layer();
            encrypt_ = layer.encrypted();
            finish(std::move(layer));
            return;
        }
        case UpstreamHandshake::Status::broken:
            on_broken();
            return;
    }
}

void UpstreamOpener::on_broken() {
    stop_shaking();
    if (handshake_->may_go_plain()) {
        other_way_tried_ = true;
        server_->socket.close();
        again(false);
        return;
    }
    fail(
        "could not connect to the upstream server at " + endpoint_.host + ": " +
        handshake_->problem()
    );
}

void UpstreamOpener::on_failure() {
    stop_shaking();
    fail("out of memory");
}

void UpstreamOpener::finish(TlsLayer layer) {
    stop_shaking();
    if (const Done done = std::exchange(done_, nullptr)) {
        done(
            {.socket = std::move(server_->socket),
             .layer = std::move(layer),
             .address = address_,
             .endpoint = endpoint_,
             .problem = {}}
        );
    }
}

void UpstreamOpener::fail(const std::string& problem) {
    if (server_) {
        server_->socket.close();
    }
    if (const Done done = std::exchange(done_, nullptr)) {
        done({.socket = {}, .layer = {}, .address = {}, .endpoint = {}, .problem = problem});
    }
}

}  // namespace veer::proxy::net
