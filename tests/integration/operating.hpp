#pragma once

#include "tests/support/client.hpp"
#include "tests/support/veer_process.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

// What an operator looks at and says, while clients search.

namespace veer::tests {

/// What SHOW veer.routes says of a table's route.
std::string shown(Client& client, const std::string& column, const std::string& table = "docs");

/// A column of SHOW veer.last: 0 the engine, 1 the reason.
std::string last(Client& client, std::size_t column);

/// Of 200 different searches, how many are not decided by this reason. What the index is chosen for
/// may still go to Postgres, because of writes that it has not seen yet.
int decided_otherwise(Client& client, const std::string& reason);

/// The console, by the socket in the data directory: an operator, who is told what was done.
class Console {
  public:
    Console(const std::filesystem::path& directory, const VeerProcess& veer);

    void say(const std::string& command);

    /// Whether it was done; false as well where nobody answers any more.
    bool done(const std::string& command) {
        return client_.simple(command).sqlstate.empty() && alive();
    }

    /// What a question comes to, one row a line, fields joined by '|', NULL as nothing.
    std::string ask(const std::string& question);

    bool alive() const { return client_.connected(); }

    std::string refusal(const std::string& command) { return client_.simple(command).message; }

  private:
    Client client_;
};

std::int64_t milliseconds_since(std::chrono::steady_clock::time_point begun);

}  // namespace veer::tests
