#pragma once

#include "storage/row.hpp"

#include <map>
#include <string>

namespace veer::storage::sync {

/// Tables that cannot be followed any further, and why, in a sentence: each has to be copied again,
/// the others go on.
using TableFailures = std::map<TableOid, std::string>;

/// Takes every change of these tables out of the transaction.
void remove_changes(Transaction& transaction, const TableFailures& failures);

}  // namespace veer::storage::sync
