#pragma once

#include "config/config.hpp"
#include "proxy/session/session.hpp"
#include "router/router.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::fuzz {

/// One event of a session. In the input, a byte says which, and where `bytes` are raw, a second how
/// many of the next ones; where they are a known message or answer, the second says which.
struct Step {
    enum class Kind : std::uint8_t {
        client_raw,
        server_raw,
        client_message,
        server_message,
        facts,  ///< the right answer to veer's question, or nearly, with its ReadyForQuery or
                ///< without
        waited,
        cancel,
        cancel_relayed,
        time,  ///< a second passes
        server_closed,
        shutdown,
        found,  ///< the search last asked for is carried out
    };

    Kind kind = Kind::client_raw;
    std::string bytes;
};

using Script = std::vector<Step>;

Script read_script(std::string_view input);

/// What a session did at one step.
struct Said {
    std::string to_client;
    std::string to_server;
    bool waits = false;
    bool searches = false;
    bool close = false;

    friend bool operator==(const Said&, const Said&) = default;
};

/// A session over the sample copy, and what it was sent.
class Dialogue {
  public:
    Dialogue();

    Said play(const Step& step);

    /// The same, but bytes come one at a time.
    Said play_bytewise(const Step& step);

    /// Nothing is kept that was not sent, and no more is answered than was asked.
    bool within_bounds() const;

  private:
    void feed(const Step& step, std::string_view bytes);
    Said take();

    config::Config config_;
    router::Router router_;
    proxy::session::Session session_;
    proxy::session::Output out_;
    std::optional<proxy::session::PendingSearch> search_;
    proxy::session::Instant now_{1};
    std::size_t client_bytes_ = 0;
};

}  // namespace veer::fuzz
