#include "proxy/net/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace veer::proxy::net {

namespace {

std::vector<std::unique_ptr<Worker>> make_workers(unsigned threads) {
    std::vector<std::unique_ptr<Worker>> workers;
    for (unsigned i = 0; i < std::max(1U, threads); ++i) {
        workers.push_back(std::make_unique<Worker>());
    }
    return workers;
}

std::string last_error() {
    return std::generic_category().message(errno);
}

}  // namespace

Server::Server(Shared& shared, unsigned threads)
    : shared_(shared), workers_(make_workers(threads)), watch_(workers_.front()->loop, *this) {}

Server::~Server() {
    stop();
}

std::string Server::listen(const std::string& address, std::uint16_t port) {
    const Endpoint endpoint{.host = address == "localhost" ? "127.0.0.1" : address, .port = port};
    const Addresses addresses = endpoint.unix_socket() ? Addresses{} : find_at_once(endpoint);
    if (addresses.found.empty()) {
        return "\"" + address + "\" is not an address to listen on";
    }
    const Address& name = addresses.found.front();
    listener_ = Socket(::socket(name.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    const bool listening =
        listener_.open() &&
        setsockopt(listener_.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(
            listener_.descriptor(), reinterpret_cast<const sockaddr*>(&name.storage), name.bytes
        ) == 0 &&
        ::listen(listener_.descriptor(), SOMAXCONN) == 0;
    if (!listening) {
        return "could not listen on " + address + ":" + std::to_string(port) + ": " + last_error();
    }
    return {};
}

std::uint16_t Server::port() const {
    sockaddr_storage name{};
    socklen_t bytes = sizeof name;
    if (getsockname(listener_.descriptor(), reinterpret_cast<sockaddr*>(&name), &bytes) != 0) {
        return 0;
    }
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(&name);
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(&name);
    return ntohs(name.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

void Server::start() {
    watch_.want(listener_.descriptor(), true, false);
    for (const auto& worker : workers_) {
        threads_.emplace_back([&loop = worker->loop] { loop.run(); });
    }
}

void Server::on_ready(bool /*readable*/, bool /*writable*/) {
    // Some at a time: those who are connected must not wait for a crowd at the door.
    constexpr int at_once = 16;
    for (int i = 0; i < at_once; ++i) {
        Socket client(
            accept4(listener_.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)
        );
        if (!client.open()) {
            on_accept_error(errno);
            return;
        }
        Worker& worker = *workers_[next_++ % workers_.size()];
        const auto connection = std::make_shared<Connection>(shared_, worker, std::move(client));
        worker.loop.post([connection] { connection->start(); });
    }
}

void Server::on_accept_error(int number) {
    const bool passing =
        number == EAGAIN || number == EWOULDBLOCK || number == ECONNABORTED || number == EINTR;
    if (!passing) {
        pause();
    }
}

void Server::pause() {
    // Out of descriptors, most likely: to try again at once would only burn the processor.
    watch_.want(listener_.descriptor(), false, false);
    workers_.front()->loop.at(EventLoop::Clock::now() + std::chrono::milliseconds(100), [this] {
        if (listener_.open()) {
            watch_.want(listener_.descriptor(), true, false);
        }
    });
}

void Server::drain(std::function<void()> all_gone) {
    shared_.all_gone = std::move(all_gone);
    shared_.draining.store(true);
    workers_.front()->loop.post([this] {
        watch_.end();
        listener_.close();
    });
    for_each_connection(&Connection::drain);
    if (shared_.sockets.load() == 0) {
        shared_.all_gone();
    }
}

void Server::end_sessions() {
    for_each_connection(&Connection::end);
}

void Server::for_each_connection(void (Connection::*method)()) {
    for (const auto& worker : workers_) {
        worker->loop.post([&worker = *worker, method] {
            const auto present = worker.connections;  // they leave it while they end
            for (const auto& connection : present) {
                (connection.get()->*method)();
            }
        });
    }
}

void Server::stop() {
    for (const auto& worker : workers_) {
        worker->loop.stop();
    }
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
    shared_.long_searches.stop();
    shared_.long_searches.join();
    listener_.close();
}

}  // namespace veer::proxy::net
