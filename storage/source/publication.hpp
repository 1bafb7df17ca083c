#pragma once

#include "storage/error.hpp"
#include "storage/source/connection.hpp"
#include "storage/table.hpp"

#include <optional>
#include <string>
#include <vector>

namespace veer::storage::source {

/// Returns the catalogue versions of a publication that publishes exactly these tables, whole:
/// every kind of change, every column, every row. Nothing where there is none such.
Result<std::optional<std::string>> publication_fingerprint(
    Connection& connection, const std::string& name, const std::vector<Table>& tables
);

/// Keeps a publication that fits, which its owner may have made by hand; replaces one that does
/// not. Never FOR ALL TABLES, which makes updates of other tables fail for the application. Fails
/// with Errc::not_permitted and the statement to run where the role has not the rights.
Result<std::string> ensure_publication(
    Connection& connection, const std::string& name, const std::vector<Table>& tables
);

Result<void> drop_publication(Connection& connection, const std::string& name);

}  // namespace veer::storage::source
