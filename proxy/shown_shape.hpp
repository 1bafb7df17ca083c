#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace veer::proxy {

/// A statement's shape for whoever may look at the console: whatever constant is left in it is a
/// `?`, comments are left out.
///
///     SELECT id FROM t WHERE n = 5 AND tag = E'x' /* of o'brien */ ORDER BY e <-> $32768 LIMIT 9
///     SELECT id FROM t WHERE n = ? AND tag = ? ORDER BY e <-> $32768 LIMIT ?
///
/// 1. At most `bytes_max` bytes, cut where a character begins.
/// 2. UTF-8, whatever the client's encoding is: bytes that are not are a `?` each.
/// 3. Names stay: they are the shape's, and in the catalogue.
std::string shown_shape(std::string_view shape, std::size_t bytes_max);

}  // namespace veer::proxy
