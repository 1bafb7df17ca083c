#pragma once

#include "storage/vector.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace veer::storage {

/// How a column holds its vectors. All but the first only where the configuration declares it.
enum class VectorForm : std::uint8_t {
    native,        ///< vector(n) and the other types that pgvector has indexes for
    unbound,       ///< vector without a number of dimensions
    real_array,    ///< real[]
    double_array,  ///< double precision[]
    text,          ///< text or varchar, as pgvector writes a vector: [1,2,3]
    jsonb,         ///< an array of numbers
};

/// By pg_type.oid of a built-in type that can be declared to hold vectors.
std::optional<VectorForm> foreign_form(std::uint32_t type_oid);

/// Reads a value in its type's binary send format as Postgres casts it to vector:
///
///     unbound         as it is
///     real[]          array_to_vector: one dimension, no NULL, nothing infinite or NaN
///     double[]        the same; each rounded to the nearest float
///     text            vector_in: "[1, 2.5e-3 ,0x1p3]"; each the nearest float, too small ones 0
///     jsonb           the same of its text, as (column::text)::vector has it
///
/// Nothing where Postgres raises an error, and where there are not so many dimensions, which is an
/// error as soon as such a vector is compared.
std::optional<Vector> read_foreign_vector(
    VectorForm form, std::int32_t dimensions, std::string_view bytes
);

/// 16 bytes that tell values in their send format apart: the first of their SHA-256.
std::string foreign_digest(std::string_view bytes);
inline constexpr std::size_t foreign_digest_bytes = 16;

}  // namespace veer::storage
