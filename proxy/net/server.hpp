#pragma once

#include "proxy/net/connection.hpp"
#include "proxy/net/shared.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace veer::proxy::net {

/// Accepts clients and spreads them over one io_context for each core.
///
///     acceptor (context 0) ──round robin──▶ context 0 | context 1 | ...   one thread each
///
/// A connection never leaves its context: its state needs no lock.
class Server {
  public:
    Server(Shared& shared, unsigned threads);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// Binds and listens; empty where that worked, else a sentence. Port 0 takes any free one.
    std::string listen(const std::string& address, std::uint16_t port);

    /// The port that listen() got.
    std::uint16_t port() const;

    void start();

    /// Takes no more clients, drops the present ones, joins the threads.
    void stop();

  private:
    struct Worker {
        boost::asio::io_context context{1};
        boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work =
            boost::asio::make_work_guard(context);
        std::thread thread;
    };

    static std::vector<std::unique_ptr<Worker>> make_workers(unsigned threads);
    static void run(boost::asio::io_context& context);
    void accept();

    Shared& shared_;
    std::vector<std::unique_ptr<Worker>> workers_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer retry_;
    std::size_t next_ = 0;
};

}  // namespace veer::proxy::net
