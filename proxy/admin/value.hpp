#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::proxy::admin {

/// What the console's columns are made of; each is a type of Postgres, so that drivers know it.
enum class Type : std::uint8_t { text, integer, number, boolean, timestamp };

/// A moment, as Postgres' timestamptz has it but counted from 1970.
struct Timestamp {
    std::int64_t microseconds = 0;

    // clang-tidy 14 takes the 0 of a rewritten < for a pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

/// One field of a row; monostate is NULL.
using Value = std::variant<std::monostate, std::string, std::int64_t, double, bool, Timestamp>;
using Row = std::vector<Value>;

inline bool is_null(const Value& value) {
    return std::holds_alternative<std::monostate>(value);
}

/// What RowDescription says of a type (manual 55.7, pg_type).
struct TypeFacts {
    std::uint32_t oid = 25;
    std::int16_t length = -1;
    std::string_view name = "text";
};

TypeFacts facts_of(Type type);

/// The type of a parameter as a client declares it; nothing where the console does not take it.
std::optional<Type> type_of_oid(std::uint32_t oid);

/// Postgres' text form. Requires a value that is not NULL.
std::string to_text(const Value& value);

/// Postgres' binary form (send functions). Requires a value that is not NULL.
std::string to_binary(const Value& value);

/// A literal or a text parameter as a value of this type; nothing where it is none.
std::optional<Value> from_text(std::string_view text, Type type);

/// A binary parameter of the declared type; nothing where the bytes are none.
std::optional<Value> from_binary(std::string_view bytes, std::uint32_t oid);

/// -1, 0 or 1. Requires two values of the same type, or two numbers, neither NULL.
int compare(const Value& left, const Value& right);

/// Can compare() be asked?
bool comparable(const Value& left, const Value& right);

/// LIKE: % and _, with \ as the escape.
bool is_like(std::string_view text, std::string_view pattern);

}  // namespace veer::proxy::admin
