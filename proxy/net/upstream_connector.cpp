#include "proxy/net/upstream_connector.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <utility>

namespace veer::proxy::net {

UpstreamConnector::UpstreamConnector(const boost::asio::any_io_executor& executor)
    : resolver_(executor), socket_(executor) {}

void UpstreamConnector::connect(
    std::vector<Endpoint> endpoints, const std::shared_ptr<void>& owner, Done done
) {
    endpoints_ = std::move(endpoints);
    done_ = std::move(done);
    next_endpoint(owner);
}

void UpstreamConnector::cancel() {
    done_ = nullptr;
    boost::system::error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
}

void UpstreamConnector::next_endpoint(const std::shared_ptr<void>& owner) {
    addresses_.clear();
    address_ = 0;
    if (endpoint_ == endpoints_.size()) {
        if (const Done done = std::exchange(done_, nullptr)) {
            done(false, std::move(socket_), problem_);
        }
        return;
    }
    const Endpoint& endpoint = endpoints_[endpoint_++];
    if (endpoint.unix_socket()) {
        addresses_.emplace_back(boost::asio::local::stream_protocol::endpoint(endpoint.socket_path()
        ));
        next_address(owner);
        return;
    }
    resolver_.async_resolve(
        endpoint.host,
        std::to_string(endpoint.port),
        [this,
         owner,
         host = endpoint.host](const boost::system::error_code& error, const auto& results) {
            if (done_ == nullptr) {
                return;
            }
            if (error) {
                fail(host, error);
            }
            for (const auto& result : results) {
                addresses_.emplace_back(result.endpoint());
            }
            next_address(owner);
        }
    );
}

void UpstreamConnector::next_address(const std::shared_ptr<void>& owner) {
    if (address_ == addresses_.size()) {
        next_endpoint(owner);
        return;
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
    const auto address = addresses_[address_++];
    socket_.async_connect(address, [this, owner](const boost::system::error_code& error) {
        if (done_ == nullptr) {
            return;
        }
        if (error) {
            fail(endpoints_[endpoint_ - 1].host, error);
            next_address(owner);
            return;
        }
        const Done done = std::exchange(done_, nullptr);
        done(true, std::move(socket_), {});
    });
}

void UpstreamConnector::fail(const std::string& where, const boost::system::error_code& error) {
    problem_ = "could not connect to the upstream server at " + where + ": " + error.message();
}

}  // namespace veer::proxy::net
