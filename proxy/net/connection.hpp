#pragma once

#include "proxy/net/greeting.hpp"
#include "proxy/net/pipe.hpp"
#include "proxy/net/session_facts.hpp"
#include "proxy/net/shared.hpp"
#include "proxy/net/upstream_opener.hpp"
#include "proxy/net/worker.hpp"
#include "proxy/session/login.hpp"
#include "proxy/session/login_watch.hpp"
#include "proxy/session/session.hpp"

#include <memory>
#include <optional>
#include <string>

namespace veer::proxy::net {

/// One client and its own connection to Postgres: sockets, buffers and timers around a Session.
///
///     accept ─▶ starting ─▶ connecting ─▶ relaying ◀─▶ Session ─▶ closing ─▶ closed
///                   ├─ CancelRequest ─▶ canceling ────────────────────────────┤
///                   └─ a Dialogue's database ─▶ conversing ───────────────────┘
///
/// Invariants:
/// 1. All members are used on one thread, the worker's.
/// 2. The worker owns the object; it is retired when it is closed.
/// 3. Nothing is decided here: bytes and instants go to Startup and Session, their output is
///    carried out.
/// 4. Every event ends with settle(), which alone says what to wait for next.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    /// `local` is a client of the socket in the data directory, who can only talk to veer itself.
    Connection(Shared& shared, Worker& worker, Socket client, bool local = false);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    void start();

    /// The server shuts down: ends at once where nothing would be lost, else when that is so.
    void drain();

    /// Ends whatever the session does.
    void end();

    /// A CancelRequest for this session has come; `done` is called when nothing of it is left.
    void cancel_statement(const std::string& packet, const EventLoop::Task& done);

    SessionFacts describe() const;

  private:
    enum class Stage : std::uint8_t {
        starting,
        connecting,
        relaying,
        conversing,
        canceling,
        closing,
        closed,
    };

    /// Brings the readiness of one of the two sockets to its method.
    class Side : public EventLoop::Handler {
      public:
        using Method = void (Connection::*)(bool readable, bool writable);

        Side(Connection& owner, Method method) : owner_(owner), method_(method) {}

        void on_ready(bool readable, bool writable) override {
            (owner_.*method_)(readable, writable);
        }

        void on_failure() override { owner_.close(); }

      private:
        Connection& owner_;
        Method method_;
    };

    // connection_startup.cpp: until the session begins
    void read_startup();
    void on_startup_action(const session::StartupAction& action);
    void connect_upstream(const session::ForwardStartup& forward);
    void choose_upstream(
        const session::ForwardStartup& forward, EventLoop::Clock::time_point deadline
    );
    void try_upstreams(
        const session::ForwardStartup& forward, const std::vector<Endpoint>& candidates
    );
    void begin_session(const session::ForwardStartup& forward, UpstreamOpener::Opened opened);
    void refuse(std::string_view sqlstate, std::string_view message);
    void refuse(const std::string& bytes);
    void on_login_deadline();

    void note_client(const wire::StartupMessage& message);

    // connection_dialogue.cpp: veer itself in place of Postgres, and what is told of a client
    bool begin_dialogue(const session::ForwardStartup& forward);
    void converse();
    void on_dialogue_wake();
    void carry_out_dialogue();
    bool may_read_dialogue() const;
    std::string_view state_word() const;

    // connection_cancel.cpp
    void on_cancel_request(const std::string& packet);
    void tell_every_server(const std::string& packet, const EventLoop::Task& done);
    void on_cancel_relayed();
    void register_key();

    // connection_limits.cpp: time and memory that one client may use
    void watch_login_of_client(std::string_view bytes);
    void watch_login_of_server(std::string_view bytes);
    void arm_idle_timer(EventLoop::Clock::time_point when);
    void on_idle_timer();
    bool at_rest() const;
    void shut_down();
    std::size_t unsent_bytes_max() const;
    void account();

    // connection_login.cpp: authentication, where it is more than relaying
    void begin_authentication(const session::ForwardStartup& forward);
    void on_client_bytes(std::string_view bytes);
    void on_server_bytes(std::string_view bytes);
    void after_authentication();
    void look_up_secret();
    void on_secret(const SecretAnswer& answer);
    void retry_other_way();

    // connection.cpp: bytes from side to side
    void on_client_ready(bool readable, bool writable);
    void on_server_ready(bool readable, bool writable);
    void read_client();
    void take_from_client();
    void read_server();
    bool may_read_client() const;
    bool may_read_server() const;
    void carry_out(session::Output& output);
    void settle();
    void begin_closing();
    void close();

    // connection_wait.cpp: searches that wait for the index, and what is carried out elsewhere
    template <class Answer, class Work, class Tell>
    void work_aside(boost::asio::thread_pool& pool, Answer without_memory, Work work, Tell tell);
    bool search_aside(const session::PendingSearch& search);
    void search_soon(const session::PendingSearch& search);
    void abandon_search();
    std::shared_ptr<void> place_for_search();
    void on_found(std::uint64_t number, const router::Found& found);
    void change_aside(session::PendingChange change);
    void on_changed(std::uint64_t number, const std::optional<router::Complaint>& why);
    void make_room();
    void on_room();
    void wait_for(const session::Wait& wait);
    void on_waited(std::uint64_t wait);
    void stop_waiting();

    /// What fails in the middle of an event ends the connection: bytes that were taken out of their
    /// buffers would be missing between the others.
    template <class Call>
    void guarded(const Call& call) {
        try {
            call();
        } catch (...) {
            close();
            throw;
        }
    }

    /// A task for the loop, which comes to nothing once that connection is gone.
    template <class Call>
    static auto task(std::weak_ptr<Connection> of, Call call) {
        return [of = std::move(of), call = std::move(call)] {
            if (const auto alive = of.lock()) {
                alive->guarded([&] { call(*alive); });
            }
        };
    }

    Shared& shared_;
    Worker& worker_;
    Side client_side_{*this, &Connection::on_client_ready};
    Side server_side_{*this, &Connection::on_server_ready};
    Stage stage_ = Stage::starting;
    Pipe client_;
    std::shared_ptr<Pipe> server_;  // retired, not destroyed, where another takes its place
    std::optional<UpstreamOpener> opener_;
    Address server_address_;
    Endpoint server_endpoint_;
    std::shared_ptr<const Security> security_;
    std::optional<Greeting> greeting_;                // until the client has said what it wants
    std::optional<session::ForwardStartup> retried_;  // while the server may refuse it unencrypted
    std::optional<session::LoginWatch> login_;        // until the client is let in
    std::optional<session::Login> authentication_;    // where that is more than relaying
    std::optional<session::Session> session_;
    std::unique_ptr<Dialogue> dialogue_;  // in place of it
    std::string cancel_key_;
    EventLoop::TimerId deadline_;
    EventLoop::TimerId wait_timer_;
    EventLoop::TimerId search_timer_;  // of a search that another server is asked for
    std::uint64_t timed_search_ = 0;   // its number
    std::shared_ptr<std::atomic<bool>> search_abandoned_;  // of the search that another thread does
    bool making_room_ = false;                             // a task for it is on its way
    EventLoop::TimerId idle_timer_;
    session::Instant last_active_;
    std::size_t accounted_ = 0;  // in shared_.unsent_bytes
    std::uint64_t wait_ = 0;     // number of the wait that is on; older wake-ups are stale
    index::Replica::WaiterId waiter_ = 0;
    std::uint64_t number_ = 0;
    std::int64_t connected_at_ = 0;
    std::string user_;
    std::string database_;
    std::string application_name_;
    bool local_ = false;
    bool in_dialogues_ = false;  // counted in shared_.dialogues
    bool counted_ = false;       // in shared_.connections
    bool canceling_ = false;     // in shared_.cancels
    bool told_end_ = false;      // the server knows that the client sends no more
};

/// The clock of sessions.
session::Instant session_now();

}  // namespace veer::proxy::net
