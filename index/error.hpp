#pragma once

#include <boost/system/result.hpp>

#include <system_error>

namespace veer::index {

enum class Errc {
    wrong_dimensions = 1,  ///< the vector has not the index's dimensions
    not_finite,            ///< NaN or infinity in a vector
    zero_norm,             ///< a zero vector under cosine: pgvector does not index it
    out_of_memory,
    too_many_visits,  ///< SearchLimits::visits_max
    cancelled,        ///< SearchLimits::cancelled
    late,             ///< SearchLimits::deadline
    busy,             ///< whoever carries searches out has no place for one more
    wrong_filter,     ///< a filter or a column asked for that the index has not the values for
};

std::error_code make_error_code(Errc code);

template <class T>
using Result = boost::system::result<T, std::error_code>;

}  // namespace veer::index

template <>
struct std::is_error_code_enum<veer::index::Errc> : std::true_type {};
