#pragma once

#include "parser/normalise.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace veer::router {

/// One parameter of Bind, as it came.
struct ParameterValue {
    std::optional<std::string_view> bytes;  ///< nothing: NULL
    bool binary = false;
    std::uint32_t declared_type = 0;  ///< of Parse; 0 or 705 (unknown): Postgres infers it
};

/// True for a type that Parse leaves to Postgres to find out.
bool is_inferred(std::uint32_t declared_type);

/// The values of one execution.
struct Values {
    std::span<const ParameterValue> parameters;
    std::span<const parser::Literal> literals;
};

}  // namespace veer::router
