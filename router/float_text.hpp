#pragma once

#include <string>

namespace veer::router {

/// float8out with extra_float_digits >= 1: the shortest decimal that reads back as `value`, in
/// Postgres' dress (double_to_shortest_decimal of src/common/d2s.c): plain from 1e-4 to below 1e15,
/// else "1e-05", "1.5e+15"; "NaN", "Infinity", "-Infinity", "-0".
std::string float8_text(double value);

}  // namespace veer::router
