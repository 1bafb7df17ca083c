#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace veer::proxy::cli {

/// The answer to one statement of the console.
struct Answer {
    struct Column {
        std::string name;
        std::uint32_t type_oid = 0;
    };

    std::vector<Column> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
};

/// Why there is none.
struct Trouble {
    bool unreachable = false;  ///< there is no veer to ask
    std::string sqlstate;
    std::string message;
    std::string hint;
};

/// How long an answer is waited for; zero is for ever.
constexpr int patience_seconds = 30;

/// Asks a running veer, by the socket in its data directory, and waits for the answer. Which file
/// that is, the directory shows; one that nobody listens on is passed over.
boost::system::result<Answer, Trouble> ask(
    const std::string& directory, const std::string& statement, int seconds_max = patience_seconds
);

/// The messages of a server up to ReadyForQuery, as an answer; nothing where they are not whole.
std::optional<boost::system::result<Answer, Trouble>> read_answer(const std::string& bytes);

}  // namespace veer::proxy::cli
