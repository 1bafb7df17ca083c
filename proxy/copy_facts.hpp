#pragma once

#include "proxy/admin/snapshot.hpp"
#include "storage/sync/observer.hpp"

#include <vector>

namespace veer::proxy {

/// How far each table is, as the console shows it.
std::vector<admin::CopyFacts> copy_facts(const storage::sync::Status& status);

}  // namespace veer::proxy
