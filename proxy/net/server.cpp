#include "proxy/net/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

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
    : shared_(shared),
      workers_(make_workers(threads)),
      door_(*this, workers_.front()->loop, false),
      local_door_(*this, workers_.front()->loop, true) {}

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
    door_.listener = Socket(::socket(name.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    const bool listening =
        door_.listener.open() &&
        setsockopt(door_.listener.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(
            door_.listener.descriptor(),
            reinterpret_cast<const sockaddr*>(&name.storage),
            name.bytes
        ) == 0 &&
        ::listen(door_.listener.descriptor(), SOMAXCONN) == 0;
    if (!listening) {
        return "could not listen on " + address + ":" + std::to_string(port) + ": " + last_error();
    }
    return {};
}

std::string Server::listen_locally(const std::string& directory) {
    const Endpoint endpoint{
        .host = std::filesystem::absolute(directory).lexically_normal().string(), .port = port()};
    const std::string path = endpoint.socket_path();
    const auto name = unix_address(endpoint);
    if (!name) {
        return "the path " + path + " is too long for a Unix socket";
    }
    const std::error_code answer = Socket().connect(*name).error;
    if (answer.value() != ECONNREFUSED && answer.value() != ENOENT) {
        return "somebody listens on " + path + " already";
    }
    ::unlink(path.c_str());  // left by a process that could not clean up
    local_door_.listener = Socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int descriptor = local_door_.listener.descriptor();
    // Before it has a name: nobody gets in between.
    const bool listening =
        local_door_.listener.open() && fchmod(descriptor, S_IRUSR | S_IWUSR) == 0 &&
        bind(descriptor, reinterpret_cast<const sockaddr*>(&name->storage), name->bytes) == 0 &&
        ::listen(descriptor, SOMAXCONN) == 0;
    if (!listening) {
        const std::string why = last_error();
        local_door_.listener.close();
        return "could not listen on " + path + ": " + why;
    }
    local_path_ = path;
    return {};
}

std::uint16_t Server::port() const {
    sockaddr_storage name{};
    socklen_t bytes = sizeof name;
    if (getsockname(door_.listener.descriptor(), reinterpret_cast<sockaddr*>(&name), &bytes) != 0) {
        return 0;
    }
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(&name);
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(&name);
    return ntohs(name.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

void Server::start() {
    door_.open();
    local_door_.open();
    for (const auto& worker : workers_) {
        threads_.emplace_back([&loop = worker->loop] { loop.run(); });
    }
}

void Server::Door::open() {
    if (listener.open()) {
        watch_.want(listener.descriptor(), true, false);
    }
}

void Server::Door::close() {
    watch_.end();
    listener.close();
}

void Server::Door::on_ready(bool /*readable*/, bool /*writable*/) {
    // Some at a time: those who are connected must not wait for a crowd at the door.
    constexpr int at_once = 16;
    if (const int error = take_in(at_once); error != 0) {
        on_accept_error(error);
    }
}

void Server::Door::take_in_waiting() {
    if (listener.open()) {
        take_in(SOMAXCONN);
    }
}

int Server::Door::take_in(int clients_max) {
    for (int i = 0; i < clients_max; ++i) {
        Socket client(accept4(listener.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)
        );
        if (!client.open()) {
            return errno;
        }
        server_.take_in(std::move(client), local_);
    }
    return 0;
}

void Server::take_in(Socket client, bool local) {
    Worker& worker = *workers_[next_++ % workers_.size()];
    const auto connection = std::make_shared<Connection>(shared_, worker, std::move(client), local);
    worker.loop.post([connection] { connection->start(); });
}

void Server::Door::on_accept_error(int number) {
    const bool passing =
        number == EAGAIN || number == EWOULDBLOCK || number == ECONNABORTED || number == EINTR;
    if (passing) {
        return;
    }
    // Out of descriptors, most likely: to try again at once would only burn the processor.
    watch_.want(listener.descriptor(), false, false);
    server_.workers_.front()->loop.at(
        EventLoop::Clock::now() + std::chrono::milliseconds(100), [this] { open(); }
    );
}

void Server::drain(std::function<void()> all_gone) {
    shared_.all_gone = std::move(all_gone);
    shared_.draining.store(true);
    workers_.front()->loop.post([this] {
        // Who stands at the door has been let in by the kernel: he is told why nobody opens.
        door_.take_in_waiting();
        local_door_.take_in_waiting();
        door_.close();
        local_door_.close();
        for_each_connection(&Connection::drain);
        if (shared_.sockets.load() == 0) {
            shared_.all_gone();
        }
    });
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

void Server::describe(std::function<void(std::vector<SessionFacts>)> done) {
    struct Gathering {
        std::mutex mutex;
        std::vector<SessionFacts> facts;
        std::size_t awaited = 0;
        std::function<void(std::vector<SessionFacts>)> done;
    };

    const auto gathering = std::make_shared<Gathering>();
    gathering->awaited = workers_.size();
    gathering->done = std::move(done);
    for (const auto& worker : workers_) {
        worker->loop.post([&worker = *worker, gathering] {
            std::unique_lock lock(gathering->mutex);
            for (const auto& connection : worker.connections) {
                gathering->facts.push_back(connection->describe());
            }
            const bool last = --gathering->awaited == 0;
            lock.unlock();
            if (last) {
                gathering->done(std::move(gathering->facts));
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
    shared_.searches_elsewhere.stop();
    shared_.searches_elsewhere.join();
    shared_.changes.stop();
    shared_.changes.join();
    door_.close();
    local_door_.close();
    if (!local_path_.empty()) {
        ::unlink(std::exchange(local_path_, {}).c_str());
    }
}

}  // namespace veer::proxy::net
