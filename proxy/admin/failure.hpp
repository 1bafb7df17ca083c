#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <string>

namespace veer::proxy::admin {

/// Why something is not done, in the fields of an ErrorResponse (manual 55.8).
struct Failure {
    std::string sqlstate;
    std::string message;
    std::string hint = {};
    std::size_t position = 0;  ///< in the statement, from 1; 0: nowhere in particular

    friend bool operator==(const Failure&, const Failure&) = default;
};

template <class T>
using Result = boost::system::result<T, Failure>;

/// Lets Result<T>::value() throw; veer's own code asks has_value() first.
[[noreturn]] void throw_exception_from_error(const Failure& failure, const boost::source_location&);

}  // namespace veer::proxy::admin
