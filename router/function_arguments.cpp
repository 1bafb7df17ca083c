#include "router/function_arguments.hpp"

#include "router/rewrite.hpp"
#include "router/values.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace veer::router {

namespace {

using Argument = parser::FunctionCall::Argument;

/// pg_type.oid of what values may be cast to, or declared as, in a call.
enum Type : std::uint32_t {
    none = 0,
    boolean = 16,
    int8 = 20,
    int2 = 21,
    int4 = 23,
    text = 25,
    json = 114,
    float4 = 700,
    float8 = 701,
    varchar = 1043,
    numeric = 1700,
    uuid = 2950,
    jsonb = 3802
};

constexpr std::array<std::pair<std::string_view, Type>, 12> type_names{
    {{"bool", boolean},
     {"int8", int8},
     {"int2", int2},
     {"int4", int4},
     {"text", text},
     {"json", json},
     {"float4", float4},
     {"float8", float8},
     {"varchar", varchar},
     {"numeric", numeric},
     {"uuid", uuid},
     {"jsonb", jsonb}}};

/// pg_cast's implicit ones among numbers and texts, whose values an explicit cast has, too.
constexpr std::array<std::pair<Type, Type>, 16> implicit_casts{
    {{int2, int4},
     {int2, int8},
     {int2, float4},
     {int2, float8},
     {int2, numeric},
     {int4, int8},
     {int4, float4},
     {int4, float8},
     {int4, numeric},
     {int8, float4},
     {int8, float8},
     {int8, numeric},
     {float4, float8},
     {numeric, float4},
     {numeric, float8},
     {varchar, text}}};

bool converts(std::uint32_t from, std::uint32_t to) {
    return from == to ||
           std::any_of(implicit_casts.begin(), implicit_casts.end(), [&](const auto& cast) {
               return cast.first == from && cast.second == to;
           });
}

/// Of a cast in the text: Postgres' own types come before all others of these names.
std::uint32_t builtin_type(const Argument& argument) {
    if (argument.type_schema.value_or("pg_catalog") != "pg_catalog") {
        return none;
    }
    const auto* const found =
        std::find_if(type_names.begin(), type_names.end(), [&](const auto& each) {
            return each.first == argument.type;
        });
    return found == type_names.end() ? none : found->second;
}

/// The cast is to the parameter's own type: whether a bare name means it, facts tell of the one
/// that is searched by.
bool is_cast_to(const Argument& argument, const Function::Parameter& parameter) {
    return argument.type == parameter.type &&
           argument.type_schema.value_or(parameter.type_schema) == parameter.type_schema;
}

bool fits(
    const Argument& argument,
    const Function::Parameter& parameter,
    std::span<const std::uint32_t> parameter_types
) {
    if (!argument.type.empty()) {
        return converts(builtin_type(argument), parameter.type_oid);
    }
    switch (argument.kind) {
        case Argument::Kind::parameter: {
            const std::uint32_t declared = argument.parameter <= parameter_types.size()
                                               ? parameter_types[argument.parameter - 1]
                                               : 0;
            return is_inferred(declared) || converts(declared, parameter.type_oid);
        }
        case Argument::Kind::string:
        case Argument::Kind::null:
            return true;
        case Argument::Kind::whole:
            return converts(int4, parameter.type_oid);
        case Argument::Kind::decimal:
            return converts(numeric, parameter.type_oid);
        case Argument::Kind::truth:
            return parameter.type_oid == boolean;
        case Argument::Kind::array:
            return false;
    }
    return false;
}

std::string cast(std::string_view value, const Function::Parameter& parameter) {
    return '(' + std::string(value) + ")::" + quote_identifier(parameter.type_schema) + '.' +
           quote_identifier(parameter.type);
}

/// Which parameter an argument is for; nothing where there is none.
std::optional<std::size_t> place_of(
    const Argument& argument, std::size_t position, const Function& function
) {
    if (argument.name.empty()) {
        return position < function.parameters.size() ? std::optional(position) : std::nullopt;
    }
    const auto found = std::find_if(
        function.parameters.begin(),
        function.parameters.end(),
        [&](const Function::Parameter& parameter) { return parameter.name == argument.name; }
    );
    return found == function.parameters.end()
               ? std::nullopt
               : std::optional(static_cast<std::size_t>(found - function.parameters.begin()));
}

/// Postgres evaluates an argument that the body has no use for, and may have an error for it.
bool is_mentioned(std::size_t place, const Function& function) {
    const auto& mentions = function.body.mentions;
    return std::find(mentions.begin(), mentions.end(), place) != mentions.end();
}

}  // namespace

bool has_builtin_type(const Argument& argument) {
    return argument.type.empty() || builtin_type(argument) != none;
}

std::optional<std::vector<std::string>> argument_values(
    const parser::FunctionCall& call,
    const Function& function,
    std::span<const std::uint32_t> parameter_types,
    const std::function<std::string_view(const Argument&)>& text_of
) {
    std::vector<std::optional<std::string>> values(function.parameters.size());
    bool named = false;
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
        const Argument& argument = call.arguments[i];
        const auto place = place_of(argument, i, function);
        const bool misplaced = named && argument.name.empty();
        if (!place || values[*place] || misplaced || !is_mentioned(*place, function)) {
            return std::nullopt;
        }
        named = !argument.name.empty();
        const Function::Parameter& parameter = function.parameters[*place];
        if (is_cast_to(argument, parameter)) {
            values[*place] = text_of(argument);
        } else if (fits(argument, parameter, parameter_types)) {
            values[*place] = cast(text_of(argument), parameter);
        } else {
            return std::nullopt;
        }
    }
    std::vector<std::string> all;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Function::Parameter& parameter = function.parameters[i];
        if (!values[i] && !parameter.fallback) {
            return std::nullopt;
        }
        all.push_back(values[i] ? *std::move(values[i]) : cast(*parameter.fallback, parameter));
    }
    return all;
}

}  // namespace veer::router
