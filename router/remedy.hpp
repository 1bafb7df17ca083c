#pragma once

#include "router/reason.hpp"

#include <string_view>

namespace veer::router {

/// What somebody can do about a search that went to Postgres for this reason, a sentence; empty
/// where nobody can, or nothing is wrong with it. Of reasons of the router and of the parser.
std::string_view remedy(Reason why);

}  // namespace veer::router
