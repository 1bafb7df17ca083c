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
/// The copy has one table, public.docs(id int8 primary key, e vector(2)), with rows 1 to 20 at (id,
/// 0) and an index for `<->`.
class SessionFixture {
  public:
    explicit SessionFixture(double percent = 100);

    /// Bytes from the client; returns what went to the server.
    std::string client(std::string_view bytes);

    /// Bytes from the server; returns what went to the client.
    std::string server(std::string_view bytes);

    /// What the last event sent the other way than its return value.
    std::string to_client() { return std::exchange(out.to_client, {}); }

    std::string to_server() { return std::exchange(out.to_server, {}); }

    /// Answers the facts question; returns what went to the client. `changes` replaces fields by
    /// position.
    std::string answer_facts(const std::vector<std::pair<std::size_t, std::string>>& changes = {});

    static std::string query(std::string_view sql);
    static std::string parse(std::string_view name, std::string_view sql);
    static std::string bind(std::string_view statement, const std::vector<std::string>& parameters);
    static std::string describe_portal();
    static std::string execute(int rows_max = 0);
    static std::string sync();

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

  private:
    static config::Config with_percent(double percent);
    void load();
};

}  // namespace veer::proxy::session
