#include "proxy/net/upstream_connector.hpp"

#include <utility>

namespace veer::proxy::net {

UpstreamConnector::UpstreamConnector(EventLoop& loop, std::chrono::milliseconds timeout)
    : loop_(loop), timeout_(timeout), watch_(loop, *this) {}

void UpstreamConnector::connect(
    std::vector<Endpoint> endpoints, std::weak_ptr<void> owner, Done done
) {
    endpoints_ = std::move(endpoints);
    owner_ = std::move(owner);
    done_ = std::move(done);
    next_endpoint();
}

void UpstreamConnector::connect(const Address& address, Done done) {
    endpoints_ = {{}};
    endpoint_ = 1;
    done_ = std::move(done);
    addresses_ = {address};
    address_ = 0;
    next_address();
}

void UpstreamConnector::cancel() {
    done_ = nullptr;
    stop_trying();
    socket_.close();
}

void UpstreamConnector::stop_trying() {
    loop_.cancel(timer_);
    watch_.end();
}

void UpstreamConnector::next_endpoint() {
    if (endpoint_ == endpoints_.size()) {
        finish({.socket = {}, .address = {}, .endpoint = {}, .problem = problem_});
        return;
    }
    const Endpoint& endpoint = endpoints_[endpoint_++];
    Addresses addresses = find_at_once(endpoint);
    if (!addresses.found.empty() || endpoint.unix_socket()) {
        take(std::move(addresses));
        return;
    }
    look_up(loop_, endpoint, [this, owner = owner_](Addresses late) {
        if (const auto alive = owner.lock(); alive && done_ != nullptr) {
            take(std::move(late));
        }
    });
}

void UpstreamConnector::take(Addresses addresses) {
    addresses_ = std::move(addresses.found);
    address_ = 0;
    if (addresses_.empty()) {
        fail(addresses.problem);
    }
    next_address();
}

void UpstreamConnector::next_address() {
    if (address_ == addresses_.size()) {
        if (on_endpoint_failed) {
            on_endpoint_failed(endpoints_[endpoint_ - 1]);
        }
        next_endpoint();
        return;
    }
    const Socket::Result result = socket_.connect(addresses_[address_++]);
    if (result.error) {
        fail(result.error.message());
        next_address();
        return;
    }
    if (!result.would_block) {
        on_ready(false, true);
        return;
    }
    timer_ = loop_.at(EventLoop::Clock::now() + timeout_, [this] {
        stop_trying();
        fail("timeout expired");
        next_address();
    });
    watch_.want(socket_.descriptor(), false, true);
}

void UpstreamConnector::on_ready(bool /*readable*/, bool /*writable*/) {
    if (done_ == nullptr) {
        return;
    }
    stop_trying();
    if (const std::error_code error = socket_.take_error()) {
        fail(error.message());
        next_address();
        return;
    }
    finish(
        {.socket = std::move(socket_),
         .address = addresses_[address_ - 1],
         .endpoint = endpoints_[endpoint_ - 1],
         .problem = {}}
    );
}

void UpstreamConnector::on_failure() {
    stop_trying();
    finish({.socket = {}, .address = {}, .endpoint = {}, .problem = "out of memory"});
}

void UpstreamConnector::fail(const std::string& problem) {
    problem_ = "could not connect to the upstream server at " + endpoints_[endpoint_ - 1].host +
               ": " + problem;
}

void UpstreamConnector::finish(Connected connected) {
    if (const Done done = std::exchange(done_, nullptr)) {
        done(std::move(connected));
    }
}

}  // namespace veer::proxy::net
