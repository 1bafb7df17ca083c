#pragma once

#include "index/filter.hpp"
#include "storage/column_type.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace veer::router {

/// A value that a condition compares with. Not an optional itself: one of an optional would be
/// made of either, and take a doubt for NULL.
struct ComparedValue {
    std::optional<index::FilterValue> value = std::nullopt;  ///< nothing for NULL

    friend bool operator==(const ComparedValue&, const ComparedValue&) = default;
};

/// Decoders of values of the types that can be copied, into what index::Filter compares. Each
/// returns nothing where Postgres would raise an error, where its answer depends on a setting
/// (DateStyle, TimeZone), or where veer is not sure: Postgres then decides.

/// The type's text form: "-5", "t", "2024-02-29", "2024-02-29 12:30:00.5", the same with "+02" or
/// "Z" for a time with time zone, uuids with their hyphens, texts in UTF-8.
std::optional<index::FilterValue> parse_value(storage::ColumnType type, std::string_view text);

/// The type's binary send form.
std::optional<index::FilterValue> receive_value(storage::ColumnType type, std::string_view bytes);

/// The text form of a one-dimensional array, "{1,NULL,\"a b\"}".
std::optional<std::vector<ComparedValue>> parse_values(
    storage::ColumnType type, std::string_view text
);

/// array_send's form of a one-dimensional array.
std::optional<std::vector<ComparedValue>> receive_values(std::string_view bytes);

/// pg_type.oid of its elements, as its bytes say.
std::uint32_t received_element_oid(std::string_view bytes);

/// What stands between the brackets of ARRAY[1, -2]: whole numbers of this type.
std::optional<std::vector<ComparedValue>> parse_whole_numbers(
    storage::ColumnType type, std::string_view text
);

/// By pg_type.oid of an array type.
std::optional<storage::ColumnType> array_element_type(std::uint32_t type_oid);

/// pg_type.oid of the elements of an array type; 0 where it is none that veer knows.
std::uint32_t array_element_oid(std::uint32_t type_oid);

/// pg_type.oid; of text and varchar, text's.
std::uint32_t builtin_oid(storage::ColumnType type);

/// By PostgreSQL's own name.
std::optional<storage::ColumnType> type_by_name(std::string_view name);

/// Whether Postgres compares values of the two by an operator of its own, as it does all whole
/// numbers.
bool comparable_types(storage::ColumnType one, storage::ColumnType other);

}  // namespace veer::router
