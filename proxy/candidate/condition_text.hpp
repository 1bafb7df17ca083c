#pragma once

#include "index/filter.hpp"
#include "storage/table.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace veer::proxy::candidate {

/// What an index::Filter says, for Postgres, in parentheses:
///
///     category = 'a' AND NOT price < 10
///     ("t"."category" COLLATE pg_catalog."C" OPERATOR(pg_catalog.=) 'a'::pg_catalog.text AND
///     (NOT ("t"."price" OPERATOR(pg_catalog.<) '10'::pg_catalog.int8)))
///
/// 1. No setting, no search_path and no collation changes its meaning; it requires
///    standard_conforming_strings on.
/// 2. Nothing where a value has no form that is sure: a date before the year 1 or after 9999.
///
/// Values come from clients' statements: texts are quoted for a plain literal.
std::optional<std::string> condition_text(
    const index::Filter& filter, const storage::Table& table, std::string_view alias
);

}  // namespace veer::proxy::candidate
