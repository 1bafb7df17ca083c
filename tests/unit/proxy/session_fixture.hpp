#pragma once

#include "config/config.hpp"
#include "index/replica.hpp"
#include "proxy/session/session.hpp"
#include "router/router.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace veer::proxy::session {

/// A session over a real router and index, with the test playing client, server and clock.
///
/// The copy is that of sample_copy.hpp.
class SessionFixture {
  public:
    explicit SessionFixture(double percent = 100);

    /// Bytes from the client; returns what went to the server.
    std::string client(std::string_view bytes);

    /// Bytes from the server; returns what went to the client.
    std::string server(std::string_view bytes);

    /// Carries out the searches and the change that are asked for.
    void search();

    /// The awaited position was reached, or the deadline has passed.
    void waited();

    /// What the last event sent the other way than its return value.
    std::string to_client() { return std::exchange(out.to_client, {}); }

    std::string to_server() { return std::exchange(out.to_server, {}); }

    /// Answers the facts question; returns what went to the client. `changes` replaces fields by
    /// position.
    std::string answer_facts(const std::vector<std::pair<std::size_t, std::string>>& changes = {});

    /// The same in the middle of a batch, where no ReadyForQuery ends it.
    std::string answer_flushed_facts(
        const std::vector<std::pair<std::size_t, std::string>>& changes = {}
    );

    static std::string query(std::string_view sql);
    static std::string parse(std::string_view name, std::string_view sql);
    static std::string bind(
        std::string_view statement,
        const std::vector<std::string>& parameters,
        std::string_view portal = ""
    );
    static std::string describe(char kind, std::string_view name);
    static std::string describe_portal();
    static std::string execute(int rows_max = 0, std::string_view portal = "");
    static std::string close(char kind, std::string_view name);
    static std::string flush();
    static std::string sync();

    /// A message of the server that is nothing but its type: ParseComplete and the like.
    static std::string bare(char type);
    static std::string command_complete(std::string_view tag);
    static std::string ready(char status = 'I');
    static std::string error(std::string_view sqlstate);
    static std::string data_row(const std::vector<std::string>& fields);

    /// The type bytes of the messages in `bytes`, in order: "12TDCZ".
    static std::string types(std::string_view bytes);

    index::Replica replica{1};
    config::Config config;
    router::Router router;
    Session session;
    Output out;
    Instant now{1};
    bool holds_changes = false;   ///< leaves them to the test, in `out`
    bool holds_searches = false;  ///< leaves them to the test, in `held`
    std::optional<PendingSearch> held;

  private:
    static std::string facts_reply(const std::vector<std::pair<std::size_t, std::string>>& changes);
    static config::Config with_percent(double percent);
};

}  // namespace veer::proxy::session
