#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace veer::router {

/// The conditions that a JSON object says of a table's columns, as SQL, each with AND before it:
///
///     {"tenant": 3, "kind": ["a", "b"], "gone": null, "year": {"$gte": 2020}, "meta": {"k": "v"}}
///
///      AND "tenant" = '3' AND "kind" IN ('a', 'b') AND "gone" IS NULL AND "year" >= '2020'
///      AND "meta" @> '{"k": "v"}'
///
/// Values are constants without a type: the column's decides how Postgres reads them. Nothing where
/// the text is no such object. $eq, $ne, $gt, $gte, $lt, $lte, $in and $nin compare; any other
/// object is one that a jsonb column contains.
std::optional<std::string> conditions_of(std::string_view json);

}  // namespace veer::router
