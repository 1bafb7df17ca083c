#pragma once

#include "proxy/session/local_answer.hpp"
#include "proxy/wire/frontend.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace veer::proxy::session {

/// The most values that one Bind has (manual 55.7: Int16, which Postgres reads without a sign).
inline constexpr std::size_t constants_max = 65'535;

/// Rows that veer has answered, as a statement of Postgres' own:
///
///     SELECT * FROM (VALUES ($1, $2), ($3, $4), ...) AS v ("id", "d") LIMIT n
///
/// Each value is a parameter of its column's type, in the bytes that the client has or would get.
/// So Postgres returns the same rows in the same order, whatever has become of the table. Not the
/// same is where the columns are from: no table, no type modifier.
///
/// Requires no more than constants_max values.
std::string constant_text(const LocalAnswer& answer);
std::vector<std::uint32_t> constant_types(const LocalAnswer& answer);

/// Its Bind. Views point into `answer` and `portal`.
wire::Bind constant_bind(const LocalAnswer& answer, wire::Bytes portal);

}  // namespace veer::proxy::session
