#pragma once

#include "config/config.hpp"
#include "storage/column_choice.hpp"

namespace veer::proxy {

/// What `columns` in [defaults] and in each [[route]] means for the copy. A table's choice is that
/// of all of its routes that state one: the copy is shared. And what routes declare to be vectors.
storage::ColumnChoices column_choices(const config::Config& config);

}  // namespace veer::proxy
