#pragma once

#include "storage/error.hpp"
#include "storage/source/connection.hpp"
#include "storage/table.hpp"

#include <optional>
#include <string>
#include <vector>

namespace veer::storage::source {

/// Returns the catalogue versions of a publication that publishes these tables, whole: every kind
/// of change, every column, every row; of what else it publishes it says nothing. Nothing where
/// there is none such.
Result<std::optional<std::string>> publication_fingerprint(
    Connection& connection, const std::string& name, const std::vector<Table>& tables
);

/// True where the second fingerprint is of the same publication, and of no table that the first was
/// not of, none of them taken out and put back.
bool continues_publication(const std::string& before, const std::string& now);

/// Takes out what is no longer copied: Postgres refuses updates of a published table that has lost
/// its key.
Result<void> leave_publication(
    Connection& connection, const std::string& name, const std::vector<Table>& kept
);

/// Keeps a publication that fits, which its owner may have made by hand; replaces one that does
/// not. Never FOR ALL TABLES, which makes updates of other tables fail for the application. Fails
/// with Errc::not_permitted and the statement to run where the role has not the rights.
Result<std::string> ensure_publication(
    Connection& connection, const std::string& name, const std::vector<Table>& tables
);

Result<void> drop_publication(Connection& connection, const std::string& name);

}  // namespace veer::storage::source
