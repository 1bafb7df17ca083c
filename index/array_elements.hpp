#pragma once

#include "storage/byte_reader.hpp"

#include <cstdint>
#include <limits>
#include <string_view>

namespace veer::index {

/// Whether `test` is true of an element of an array in array_send's form, of whatever dimensions;
/// NULLs are left out, as Postgres' && and @> leave them out.
///
///     be32 dimensions | be32 has NULLs | be32 type | per dimension: be32 count, be32 lower bound
///     per element: be32 length, -1 for NULL | bytes
template <class Test>
bool any_element(std::string_view sent, Test test) {
    storage::ByteReader reader{sent};
    const std::uint32_t dimensions = reader.be32();
    reader.be64();  // has NULLs, type
    for (std::uint32_t left = dimensions; left > 0 && !reader.failed(); --left) {
        reader.be64();
    }
    while (!reader.failed() && reader.remaining() > 0) {
        const std::uint32_t length = reader.be32();
        if (length == std::numeric_limits<std::uint32_t>::max()) {
            continue;
        }
        const std::string_view element = reader.bytes(length);
        if (!reader.failed() && test(element)) {
            return true;
        }
    }
    return false;
}

}  // namespace veer::index
