#pragma once

#include "proxy/net/connection.hpp"
#include "proxy/net/session_facts.hpp"
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
///     doors (loop 0) ──round robin──▶ loop 0 | loop 1 | ...   one thread each
///
/// A connection never leaves its loop: its state needs no lock.
class Server {
  public:
    Server(Shared& shared, unsigned threads);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// Binds and listens; empty where that worked, else a sentence. Port 0 takes any free one.
    std::string listen(const std::string& address, std::uint16_t port);

    /// Opens a second door for this machine's operators: a Unix socket in `directory`, named as
    /// Postgres names its own by port(), open to this process' user. After listen(). Empty where
    /// that worked, else a sentence.
    std::string listen_locally(const std::string& directory);

    /// The port that listen() got.
    std::uint16_t port() const;

    void start();

    /// Takes no more clients; sessions end when they are at rest. `all_gone` is called once none is
    /// left, on any thread, perhaps more than once.
    void drain(std::function<void()> all_gone);

    /// Tells everyone who is still there that the server shuts down.
    void end_sessions();

    /// Asks every thread for its clients, and gives them all at once, on one of the threads. Not at
    /// all after stop().
    void describe(std::function<void(std::vector<SessionFacts>)> done);

    /// Takes no more clients, drops the present ones, joins the threads.
    void stop();

  private:
    /// A socket that is listened on.
    class Door : public EventLoop::Handler {
      public:
        Door(Server& server, EventLoop& loop, bool local)
            : local_(local), server_(server), watch_(loop, *this) {}

        void open();
        void close();

        /// All who wait to be accepted, before close(), which would reset them without a word.
        void take_in_waiting();

        Socket listener;

      private:
        void on_ready(bool readable, bool writable) override;

        void on_failure() override {}

        /// Zero, or the errno that ended it before that many were in.
        int take_in(int clients_max);

        void on_accept_error(int number);

        const bool local_;
        Server& server_;
        EventLoop::Watch watch_;
    };

    void take_in(Socket client, bool local);
    void for_each_connection(void (Connection::*method)());

    Shared& shared_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::thread> threads_;
    Door door_;
    Door local_door_;
    std::string local_path_;  // of the socket file, to be removed
    std::size_t next_ = 0;
};

}  // namespace veer::proxy::net
