#include "proxy/net/cancel_relay.hpp"

#include <utility>

namespace veer::proxy::net {

void CancelRelay::start(
    Worker& worker,
    const Target& target,
    std::string packet,
    std::chrono::milliseconds timeout,
    Done done
) {
    const auto relay =
        std::make_shared<CancelRelay>(worker, std::move(packet), timeout, std::move(done));
    worker.cancels.insert(relay);
    const auto connected = [self = relay.get()](UpstreamConnector::Connected result) {
        self->on_connected(std::move(result));
    };
    if (target.address.bytes > 0) {
        relay->connector_.connect(target.address, connected);
    } else {
        relay->connector_.connect(target.endpoints, relay, connected);
    }
}

CancelRelay::CancelRelay(
    Worker& worker, std::string packet, std::chrono::milliseconds timeout, Done done
)
    : worker_(worker),
      packet_(std::move(packet)),
      timeout_(timeout),
      done_(std::move(done)),
      connector_(worker.loop, worker.resolver, timeout) {}

void CancelRelay::on_connected(UpstreamConnector::Connected connected) {
    if (!connected.socket.open()) {
        finish();
        return;
    }
    server_ = std::make_unique<Pipe>(worker_.loop, *this, std::move(connected.socket));
    if (server_->send(packet_)) {
        finish();
        return;
    }
    deadline_ = worker_.loop.at(EventLoop::Clock::now() + timeout_, [this] { finish(); });
    server_->watch.want(server_->socket.descriptor(), true, server_->unsent() > 0);
}

void CancelRelay::on_ready(bool readable, bool writable) {
    if (writable && server_->send_waiting()) {
        finish();
        return;
    }
    if (readable) {
        const Socket::Result result = server_->receive(worker_.in);
        if (result.ended || result.error) {
            finish();
            return;
        }
    }
    server_->watch.want(server_->socket.descriptor(), true, server_->unsent() > 0);
}

void CancelRelay::finish() {
    const Done done = std::exchange(done_, nullptr);
    if (done == nullptr) {
        return;
    }
    const auto self = shared_from_this();
    worker_.loop.cancel(deadline_);
    connector_.cancel();
    if (server_) {
        server_->watch.end();
        server_->socket.close();
    }
    worker_.cancels.erase(self);
    worker_.loop.retire(self);
    done();
}

}  // namespace veer::proxy::net
