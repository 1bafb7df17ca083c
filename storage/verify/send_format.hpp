#pragma once

#include "storage/vector.hpp"

#include <optional>
#include <string>

namespace veer::storage::verify {

/// A vector in its type's binary send format, as decode_vector() takes it: the very bytes that
/// Postgres has sent. Nothing where a value of that type cannot have come from there.
std::optional<std::string> send_format(VectorKind kind, const Vector& vector);

}  // namespace veer::storage::verify
