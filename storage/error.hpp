#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>

namespace veer::storage {

enum class Errc {
    connection,  ///< the upstream cannot be reached, or the connection broke: retry with back-off
    not_permitted,  ///< rights or settings are missing; `message` says exactly what to change
    gone,           ///< slot or publication is missing or invalid: the copy must start anew
    unexpected,     ///< Postgres or the stream said what veer does not understand
    disk,           ///< RocksDB could not read or write (full disk, corruption)
};

/// `message` is one or more complete sentences for the log and for `SHOW veer.routes`.
struct Error {
    Errc code = Errc::unexpected;
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

/// Lets Result<T>::value() throw; veer's own code asks has_value() first.
[[noreturn]] inline void
throw_exception_from_error(const Error& error, const boost::source_location&) {
    throw std::runtime_error(error.message);
}

}  // namespace veer::storage
