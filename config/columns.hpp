#pragma once

#include "config/config.hpp"
#include "config/keys.hpp"

#include <string_view>

namespace veer::config {

inline constexpr std::string_view columns_allowed =
    R"("auto", "none", "all" or a list of at most 100 column names)";

/// Returns false, and leaves the target, where the value is not `columns_allowed`.
bool set_columns(Columns& target, const Value& value);

Value value_of(const Columns& columns);

}  // namespace veer::config
