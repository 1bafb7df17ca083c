#include "tests/integration/operating.hpp"

#include "tests/integration/crowd.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::tests {

std::string shown(Client& client, const std::string& column, const std::string& table) {
    const Outcome routes = client.simple("SHOW veer.routes");
    for (std::size_t i = 0; i < routes.columns.size(); ++i) {
        for (const auto& row : routes.rows) {
            if (routes.columns[i].name == column &&
                row.at(0).value_or("").starts_with("public." + table + '.')) {
                return row.at(i).value_or("");
            }
        }
    }
    return {};
}

std::string last(Client& client, std::size_t column) {
    return client.simple("SHOW veer.last").rows.at(0).at(column).value_or("");
}

int decided_otherwise(Client& client, const std::string& reason) {
    int count = 0;
    for (int i = 0; i < 200; ++i) {
        client.simple(search_near(i));
        count += last(client, 1) == reason ? 0 : 1;
    }
    return count;
}

Console::Console(const std::filesystem::path& directory, const VeerProcess& veer)
    : client_(
          "host=" + (directory / "data").string() + " port=" + std::to_string(veer.port()) +
          " user=postgres dbname=veer"
      ) {}

std::string Console::ask(const std::string& question) {
    const Outcome answer = client_.simple(question);
    INFO(answer.message);
    CHECK(answer.message.empty());
    std::string text;
    for (const auto& row : answer.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += (i == 0 ? "" : "|") + row[i].value_or("");
        }
        text += '\n';
    }
    return text;
}

void Console::say(const std::string& command) {
    const Outcome outcome = client_.simple(command);
    INFO(command << ": " << outcome.message);
    REQUIRE(outcome.sqlstate.empty());
}

std::int64_t milliseconds_since(std::chrono::steady_clock::time_point begun) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now() - begun
    )
        .count();
}

}  // namespace veer::tests
