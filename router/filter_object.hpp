#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace veer::router {

/// The conditions that a JSON object says of a table's columns, as SQL, each with AND before it:
///
///     {"tenant": 3, "kind": ["a", "b"], "gone": null, "year": {"$gte": 2020}, "meta": {"k": "v"}}
///
///      AND "t"."tenant" = '3' AND "t"."kind" IN ('a', 'b') AND "t"."gone" IS NULL
///      AND "t"."year" >= '2020' AND "t"."meta" @> '{"k": "v"}'
///
/// All are of `table`, which FROM has under this name: a column that it has not must not be found
/// in a query around it. Values are constants without a type: the column's decides how Postgres
/// reads them. Nothing where the text is no such object. $eq, $ne, $gt, $gte, $lt, $lte, $in and
/// $nin compare; any other object is one that a jsonb column contains.
std::optional<std::string> conditions_of(std::string_view json, std::string_view table);

}  // namespace veer::router
