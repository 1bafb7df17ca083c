#pragma once

#include "index/replica.hpp"

#include <string>
#include <vector>

namespace veer::proxy::session {

/// Makes `replica` a live copy of one table, public.docs(id int8 primary key, e vector(2)) of
/// database "app", with rows 1 to 20 at (id, 0) and an index for `<->`.
void load_sample(index::Replica& replica);

/// What Postgres says to the facts question about that table, in a session that may be served.
std::vector<std::string> sample_facts();

}  // namespace veer::proxy::session
