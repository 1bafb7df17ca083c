#pragma once

#include "config/config.hpp"
#include "router/declarations.hpp"
#include "storage/column_choice.hpp"

namespace veer::proxy {

/// What `columns` in [defaults] and in each [[route]] means for the copy. A table's choice is that
/// of all of its routes that state one: the copy is shared. And what routes declare to be vectors,
/// those of statements, where there may be any, as they are when they are asked for; `declarations`
/// outlives what is returned.
storage::ColumnChoices column_choices(
    const config::Config& config, const router::Declarations* declarations = nullptr
);

}  // namespace veer::proxy
