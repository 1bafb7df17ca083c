#include "proxy/net/look_up.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstring>
#include <memory>
#include <utility>

namespace veer::proxy::net {

namespace {

using boost::asio::ip::tcp;
using Resolver = boost::asio::ip::basic_resolver<tcp, boost::asio::io_context::executor_type>;

Address to_address(const tcp::endpoint& name) {
    Address address;
    std::memcpy(&address.storage, name.data(), name.size());
    address.bytes = static_cast<socklen_t>(name.size());
    return address;
}

}  // namespace

Addresses find_at_once(const Endpoint& endpoint) {
    if (endpoint.unix_socket()) {
        const auto address = unix_address(endpoint);
        return address
                   ? Addresses{.found = {*address}, .problem = {}}
                   : Addresses{.found = {}, .problem = "the path of the Unix socket is too long"};
    }
    boost::system::error_code error;
    const auto ip = boost::asio::ip::make_address(endpoint.host, error);
    return error ? Addresses{.found = {}, .problem = error.message()}
                 : Addresses{.found = {to_address({ip, endpoint.port})}, .problem = {}};
}

void look_up(EventLoop& loop, const Endpoint& endpoint, std::function<void(Addresses)> done) {
    const auto resolver = std::make_shared<Resolver>(loop.context().get_executor());
    resolver->async_resolve(
        endpoint.host,
        std::to_string(endpoint.port),
        tcp::resolver::numeric_service,
        [resolver, done = std::move(done)](
            const boost::system::error_code& error, const tcp::resolver::results_type& results
        ) {
            Addresses addresses;
            addresses.problem = error ? error.message() : "";
            for (const auto& result : results) {
                addresses.found.push_back(to_address(result.endpoint()));
            }
            done(std::move(addresses));
        }
    );
}

}  // namespace veer::proxy::net
