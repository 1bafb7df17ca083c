#pragma once

#include "proxy/wire/frame.hpp"

#include <cstddef>
#include <string>

namespace veer::proxy::session {

/// Follows a relayed login just far enough to bound it: until AuthenticationOk, and how long a
/// message the client may send as its answer.
///
///     client  ── p ──▶  at most 65,535 bytes, Postgres' PG_MAX_AUTH_TOKEN_LENGTH
///     server  ◀── R ──  0: the client is let in
///
/// A message that is no answer to a server's question is left to the server: with trust, a client
/// may send its first statement before it is told that it is let in.
class LoginWatch {
  public:
    static constexpr std::size_t answer_bytes_max = 65'535;

    /// False where an answer is longer than anything that Postgres would take.
    bool on_client(wire::Bytes bytes);

    void on_server(wire::Bytes bytes);

    /// AuthenticationOk was seen, or something that is no login at all.
    bool over() const { return over_; }

  private:
    void on_server_message(char type);

    std::string client_header_;       // of the message that comes next, while it is not complete
    std::size_t client_passing_ = 0;  // bytes left of the client's present message
    bool client_follows_ = true;
    std::string server_head_;  // header and, of R, the code
    std::size_t server_passing_ = 0;
    bool over_ = false;
};

}  // namespace veer::proxy::session
