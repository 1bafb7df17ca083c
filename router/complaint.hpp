#pragma once

#include <string>

namespace veer::router {

/// What is wrong with a statement that is veer's to understand. Postgres refuses it, not knowing
/// what it is about; the client is told this instead, with Postgres' own effect on the transaction.
struct Complaint {
    std::string sqlstate;
    std::string message;
    std::string hint;
    /// Postgres was given a text that nobody can parse: its syntax error says nothing of the
    /// client's.
    bool whole = false;

    friend bool operator==(const Complaint&, const Complaint&) = default;
};

}  // namespace veer::router
