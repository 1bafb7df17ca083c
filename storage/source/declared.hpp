#pragma once

#include "storage/source/discover.hpp"

namespace veer::storage::source {

/// Adds an index that the configuration declares to the table, or the reason against it to the
/// catalogue. Its columns become some of Table::vectors.
void add_declared(
    const TableInput& input, const DeclaredIndex& declared, Table& table, Catalogue& catalogue
);

}  // namespace veer::storage::source
