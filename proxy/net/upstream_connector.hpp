#pragma once

#include "proxy/net/endpoint.hpp"
#include "proxy/net/pipe.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace veer::proxy::net {

/// Opens one connection to the first endpoint that takes it, addresses of a name in the resolver's
/// order.
///
/// `done` is called once: with an open socket, or with a sentence that says what went wrong last;
/// not at all after cancel(). Every pending operation holds `owner`, so that the connector outlives
/// them.
class UpstreamConnector {
  public:
    using Done = std::function<void(bool connected, Socket socket, std::string problem)>;

    explicit UpstreamConnector(const boost::asio::any_io_executor& executor);

    void connect(std::vector<Endpoint> endpoints, const std::shared_ptr<void>& owner, Done done);
    void cancel();

  private:
    void next_endpoint(const std::shared_ptr<void>& owner);
    void next_address(const std::shared_ptr<void>& owner);
    void fail(const std::string& where, const boost::system::error_code& error);

    boost::asio::ip::tcp::resolver resolver_;
    Socket socket_;
    std::vector<Endpoint> endpoints_;
    std::size_t endpoint_ = 0;
    std::vector<boost::asio::generic::stream_protocol::endpoint> addresses_;
    std::size_t address_ = 0;
    std::string problem_;
    Done done_;
};

}  // namespace veer::proxy::net
