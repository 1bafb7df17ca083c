#include "proxy/net/cancel_relay.hpp"

#include <exception>
#include <utility>

namespace veer::proxy::net {

void CancelRelay::start(
    Worker& worker,
    const Target& target,
    std::string packet,
    std::chrono::milliseconds timeout,
    const UpstreamTls& tls,
    Done done
) {
    const auto relay =
        std::make_shared<CancelRelay>(worker, std::move(packet), timeout, tls, std::move(done));
    worker.cancels.insert(relay);
    const auto opened = [self = relay.get()](UpstreamOpener::Opened result) {
        self->on_opened(std::move(result));
    };
    try {
        if (target.address.bytes > 0) {
            relay->opener_.open(target.address, target.endpoint, opened);
        } else {
            relay->opener_.open(target.endpoints, relay, opened);
        }
    } catch (...) {
        worker.cancels.erase(relay);
        throw;
    }
}

CancelRelay::CancelRelay(
    Worker& worker,
    std::string packet,
    std::chrono::milliseconds timeout,
    const UpstreamTls& tls,
    Done done
)
    : worker_(worker),
      packet_(std::move(packet)),
      timeout_(timeout),
      done_(std::move(done)),
      opener_(worker.loop, timeout, tls) {}

void CancelRelay::on_opened(UpstreamOpener::Opened opened) {
    if (!opened.socket.open()) {
        finish();
        return;
    }
    try {
        server_ = std::make_unique<Pipe>(worker_.loop, *this, std::move(opened.socket));
        server_->layer = std::move(opened.layer);
        if (server_->send(packet_)) {
            finish();
            return;
        }
        deadline_ = worker_.loop.at(EventLoop::Clock::now() + timeout_, [this] { finish(); });
        server_->watch.want(server_->socket.descriptor(), true, server_->unsent() > 0);
    } catch (const std::exception&) {
        finish();  // nothing else would: the opener has done its part
    }
}

void CancelRelay::on_ready(bool readable, bool writable) {
    if (writable && server_->send_waiting()) {
        finish();
        return;
    }
    if (readable) {
        const Socket::Result result = server_->socket.receive(worker_.in);
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
    opener_.cancel();
    if (server_) {
        server_->watch.end();
        server_->socket.close();
    }
    done();
    try {
        worker_.loop.retire(self);
        worker_.cancels.erase(self);
    } catch (const std::exception&) {  // it stays among them, closed and told
    }
}

}  // namespace veer::proxy::net
