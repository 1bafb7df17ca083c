#pragma once

#include "proxy/net/connection.hpp"
#include "proxy/net/shared.hpp"
#include "proxy/net/worker.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace veer::proxy::net {

/// Accepts clients and spreads them over one event loop for each core.
///
///     listener (loop 0) ──round robin──▶ loop 0 | loop 1 | ...   one thread each
///
/// A connection never leaves its loop: its state needs no lock.
class Server : public EventLoop::Handler {
  public:
    Server(Shared& shared, unsigned threads);
    ~Server() override;

    /// Binds and listens; empty where that worked, else a sentence. Port 0 takes any free one.
    std::string listen(const std::string& address, std::uint16_t port);

    /// The port that listen() got.
    std::uint16_t port() const;

    void start();

    /// Takes no more clients; sessions end when they are at rest. `all_gone` is called once none is
    /// left, on any thread, perhaps more than once.
    void drain(std::function<void()> all_gone);

    /// Tells everyone who is still there that the server shuts down.
    void end_sessions();

    /// Takes no more clients, drops the present ones, joins the threads.
    void stop();

  private:
    void on_ready(bool readable, bool writable) override;

    void on_failure() override {}

    void on_accept_error(int number);
    void pause();
    void for_each_connection(void (Connection::*method)());

    Shared& shared_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::thread> threads_;
    Socket listener_;
    EventLoop::Watch watch_;
    std::size_t next_ = 0;
};

}  // namespace veer::proxy::net
