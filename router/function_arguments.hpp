#pragma once

#include "parser/function_call.hpp"
#include "router/function.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

/// Cast to a type of Postgres' own, or to none.
bool has_builtin_type(const parser::FunctionCall::Argument& argument);

/// What is put into the parameters' places, in their order: the arguments as they were written,
/// each cast to its parameter's type unless it has that cast already, and the defaults of those
/// that were left out.
///
///     match($1, count => 5)      {"$1::\"public\".\"vector\"", "5::\"pg_catalog\".\"int4\""}
///
/// Nothing where the function could not be called so, or where PostgreSQL would make another value
/// of an argument: a cast does what an assignment to a parameter would not.
/// `parameter_types` are the declared ones of the client's $1 and so on.
std::optional<std::vector<std::string>> argument_values(
    const parser::FunctionCall& call,
    const Function& function,
    std::span<const std::uint32_t> parameter_types,
    const std::function<std::string_view(const parser::FunctionCall::Argument&)>& text_of
);

}  // namespace veer::router
