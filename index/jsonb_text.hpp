#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace veer::index {

/// jsonb as Postgres writes it (jsonb_send: a version byte and the text of jsonb_out):
///
///     1 { "a" : _ "x\"y" , _ "id" : _ 1.50 , _ "tags" : _ [ ... ] }       _ is a space
///
/// One document has one text, but for trailing zeros of its numbers: keys come once, strings are
/// escaped in one way. So strings are equal where their escaped forms are.
/// Functions JsonbToCString, escape_json, jsonb_object_field_text of PostgreSQL.
struct JsonbMember {
    enum class Kind { string, number, boolean, null, container };

    Kind kind = Kind::null;
    std::string_view text;  ///< of a string without its quotes, escaped
};

/// What stands under a key of the outermost object; nothing where there is none, or no object.
/// `escaped_key` as escaped_jsonb() makes it.
std::optional<JsonbMember> jsonb_member(std::string_view sent, std::string_view escaped_key);

/// As a string stands between its quotes.
std::string escaped_jsonb(std::string_view text);

/// Of a number in Postgres' own notation, without exponent: 1.50 and 1.5 are equal.
std::string_view without_trailing_zeros(std::string_view number);

}  // namespace veer::index
