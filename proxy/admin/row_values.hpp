#pragma once

#include "proxy/admin/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

namespace veer::proxy::admin::rows {

/// Counters as the console's integers.
inline std::int64_t count(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

/// What is not known is NULL.
inline Value known(const std::string& value) {
    return value.empty() ? Value{} : Value(value);
}

template <class T>
Value known(const std::optional<T>& value) {
    if (!value) {
        return {};
    }
    if constexpr (std::is_unsigned_v<T>) {
        return Value(count(*value));
    } else {
        return Value(*value);
    }
}

}  // namespace veer::proxy::admin::rows
