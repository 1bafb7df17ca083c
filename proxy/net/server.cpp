#include "proxy/net/server.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace veer::proxy::net {

namespace asio = boost::asio;
using boost::system::error_code;

Server::Server(Shared& shared, unsigned threads)
    : shared_(shared),
      workers_(make_workers(threads)),
      acceptor_(workers_.front()->context),
      retry_(workers_.front()->context) {}

std::vector<std::unique_ptr<Server::Worker>> Server::make_workers(unsigned threads) {
    std::vector<std::unique_ptr<Worker>> workers;
    for (unsigned i = 0; i < std::max(1U, threads); ++i) {
        workers.push_back(std::make_unique<Worker>());
    }
    return workers;
}

Server::~Server() {
    stop();
}

std::string Server::listen(const std::string& address, std::uint16_t port) {
    error_code error;
    const auto ip = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
    if (error) {
        return "\"" + address + "\" is not an address to listen on: " + error.message();
    }
    const asio::ip::tcp::endpoint endpoint(ip, port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) {
        acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) {
        acceptor_.bind(endpoint, error);
    }
    if (!error) {
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        return "could not listen on " + address + ":" + std::to_string(port) + ": " +
               error.message();
    }
    return {};
}

std::uint16_t Server::port() const {
    error_code error;
    return acceptor_.local_endpoint(error).port();
}

void Server::start() {
    accept();
    for (const auto& worker : workers_) {
        worker->thread = std::thread([&context = worker->context] { run(context); });
    }
}

void Server::run(asio::io_context& context) {
    for (;;) {
        try {
            context.run();
            return;
        } catch (const std::exception& error) {
            // Memory for one client ran out, most likely; the others go on.
            std::fprintf(stderr, "veer: a connection failed: %s\n", error.what());
        }
    }
}

void Server::accept() {
    Worker& worker = *workers_[next_++ % workers_.size()];
    acceptor_.async_accept(
        worker.context,
        [this, &worker](const error_code& error, asio::ip::tcp::socket socket) {
            if (error == asio::error::operation_aborted || !acceptor_.is_open()) {
                return;
            }
            if (error) {
                // Out of descriptors, most likely: to try again at once would only burn the
                // processor.
                retry_.expires_after(std::chrono::milliseconds(100));
                retry_.async_wait([this](const error_code&) { accept(); });
                return;
            }
            {
                auto connection = std::make_shared<Connection>(shared_, Socket(std::move(socket)));
                asio::post(worker.context, [connection] { connection->start(); });
            }
            accept();
        }
    );
}

void Server::stop() {
    for (const auto& worker : workers_) {
        worker->context.stop();
    }
    for (const auto& worker : workers_) {
        if (worker->thread.joinable()) {
            worker->thread.join();
        }
    }
    error_code ignored;
    acceptor_.close(ignored);
}

}  // namespace veer::proxy::net
