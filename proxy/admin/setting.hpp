#pragma once

#include "proxy/admin/statement.hpp"

#include <optional>
#include <string_view>

namespace veer::proxy::admin {

/// What SHOW says of a setting of Postgres that drivers look at; nothing of any other. `name` in
/// lower case.
std::optional<Value> setting_value(std::string_view name, const Asker& asker);

/// May SET name it? It changes nothing: there is nothing here that it could change.
bool is_known_setting(std::string_view name);

/// The value of a function without arguments that drivers call (version(), current_database(), ...)
/// or of a word like current_user; nothing of any other.
std::optional<Value> function_value(std::string_view name, const Asker& asker);

}  // namespace veer::proxy::admin
