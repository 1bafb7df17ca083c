#pragma once

#include "proxy/session/output.hpp"
#include "proxy/wire/startup.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace veer::proxy::net {

/// Who is connected, as far as the socket tells.
struct Caller {
    bool local = false;           ///< by the Unix socket in the data directory
    bool owner = false;           ///< and has this process' user id, or root's
    bool loopback = false;        ///< by TCP, from this machine
    std::string address;          ///< empty where local
    std::string channel_binding;  ///< tls-server-end-point; empty: not encrypted
};

/// A dialogue that veer leads itself, in place of a session with Postgres: the console. Bytes in,
/// bytes out; used on its connection's thread only. Of Output only `to_client` and `close` count.
class Dialogue {
  public:
    Dialogue() = default;
    Dialogue(const Dialogue&) = delete;
    Dialogue& operator=(const Dialogue&) = delete;
    virtual ~Dialogue() = default;

    virtual void begin(session::Output& out) = 0;
    virtual void on_client(std::string_view bytes, session::Output& out) = 0;

    /// Wake was called.
    virtual void on_wake(session::Output& out) = 0;

    /// The server shuts down.
    virtual void on_shutdown(session::Output& out) = 0;

    /// Waits for a wake: the client's bytes are not read meanwhile.
    virtual bool paused() const = 0;

    /// The login is over.
    virtual bool let_in() const = 0;

    /// Nobody owes the other anything.
    virtual bool at_rest() const = 0;
};

/// Calls Dialogue::on_wake() soon, on its thread; from any thread, also after its end.
using Wake = std::function<void()>;

/// A dialogue for this client, or null where its database is Postgres' own. On any thread.
using MakeDialogue =
    std::function<std::unique_ptr<Dialogue>(const Caller&, const wire::StartupMessage&, Wake)>;

}  // namespace veer::proxy::net
