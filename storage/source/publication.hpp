#pragma once

#include "storage/error.hpp"
#include "storage/source/connection.hpp"
#include "storage/table.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace veer::storage::source {

/// The tables that a publication publishes whole (every column, every row), each with its catalogue
/// versions: a publication that was altered or made anew, and a table that left it and came back,
/// have others, and what was left out in between is not known.
using Publication = std::map<TableOid, std::string>;

/// Returns nothing where there is no publication of that name with every kind of change. Never one
/// FOR ALL TABLES or of a schema.
Result<std::optional<Publication>> read_publication(
    Connection& connection, const std::string& name
);

/// The versions of these tables, in one string; of what is not published it says nothing.
std::string fingerprint(const Publication& publication, const std::vector<Table>& tables);

/// True where the fingerprint has the same versions of this table, which is published.
bool continues_publication(
    const std::string& before, const Publication& publication, TableOid table
);

/// Takes out what is no longer copied: Postgres refuses updates of a published table that has lost
/// its key. One that is locked does not keep the others in, and is waited for at most 2 s; the
/// failure names the statement.
Result<void> leave_publication(
    Connection& connection, const std::string& name, const std::vector<Table>& kept
);

/// Keeps a publication that fits, which its owner may have made by hand; replaces one that does
/// not by an empty one, which the tables join one by one: a right that lacks on one is that
/// table's trouble. Never FOR ALL TABLES, which makes updates of other tables fail for the
/// application. Fails with Errc::not_permitted and the statement to run for all of `tables` where
/// the role has not the right to create one.
Result<void> ensure_publication(
    Connection& connection, const std::string& name, const std::vector<Table>& tables
);

/// Takes one more table into the publication, whole, if need be. Fails as ensure_publication()
/// does.
Result<void> join_publication(Connection& connection, const std::string& name, const Table& table);

Result<void> drop_publication(Connection& connection, const std::string& name);

}  // namespace veer::storage::source
