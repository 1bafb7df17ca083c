#pragma once

#include "proxy/admin/statement.hpp"

#include <span>
#include <vector>

namespace veer::proxy::admin {

/// The rows of a SELECT or SHOW. `parameters` are the values of $1, $2, ... in their columns'
/// types. Fails with what Postgres says of such values (a negative LIMIT).
Result<std::vector<Row>> evaluate(
    const Select& select, const Snapshot& snapshot, std::span<const Value> parameters
);

}  // namespace veer::proxy::admin
