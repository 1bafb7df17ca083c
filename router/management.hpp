#pragma once

#include "parser/management.hpp"
#include "router/complaint.hpp"
#include "router/declarations.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::router {

/// What the client's own backend is asked before an index of veer's is made or dropped: one row,
/// about names as this session has them and rights as its role has them. Nothing where it would
/// have names outside of ASCII, and client_encoding is not UTF8 (`utf8`): their bytes mean others.
std::optional<std::string> management_query(
    const parser::Management& management, const Declarations::All& known, bool utf8
);

/// Where management_query() has nothing to ask.
Complaint refuse_encoding();

using ManagementRow = std::vector<std::optional<std::string_view>>;

/// Postgres has what the statement names, or veer has not: it is Postgres' to do, or to refuse.
struct ToPostgres {
    friend bool operator==(const ToPostgres&, const ToPostgres&) = default;
};

/// What is to be done, and what the client is told when it is.
struct ManagementChange {
    enum class Kind : std::uint8_t { add, remove, nothing };

    Kind kind = Kind::nothing;
    Declaration declaration;
    std::string notice;  ///< empty: none
    std::string detail;

    friend bool operator==(const ManagementChange&, const ManagementChange&) = default;
};

using ManagementDecision = std::variant<ToPostgres, Complaint, ManagementChange>;

/// Where the statement stands.
struct ManagementPlace {
    std::string_view database;  ///< that veer follows
    bool in_transaction = false;
};

/// Asks Postgres' questions in Postgres' order, with Postgres' answers, as CREATE INDEX
/// CONCURRENTLY and DROP INDEX do.
ManagementDecision decide_management(
    const parser::Management& management,
    const ManagementRow& row,
    const Declarations::All& known,
    const ManagementPlace& place
);

/// Of a prepared statement whose Execute is ToPostgres, which has never heard of it: an index that
/// has gone since is told of in Postgres' words.
ManagementDecision decide_gone(const parser::Management& management, const ManagementRow& row);

/// What is said where it stands in a transaction block, or in a batch with others.
Complaint refuse_in_transaction(const parser::Management& management);

/// Its command tag: "CREATE INDEX"; of a function "SELECT 1".
std::string_view tag_of(const parser::Management& management);

/// The name of the one column that a function gives; empty of other statements.
std::string_view output_of(const parser::Management& management);

}  // namespace veer::router
