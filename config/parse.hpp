#pragma once

#include "config/config.hpp"

#include <boost/system/result.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace veer::config {

/// The first thing that is wrong with a configuration. Lines and columns count from 1; both are 0
/// where the file as a whole is meant.
struct Error {
    std::string file;
    std::size_t line = 0;
    std::size_t column = 0;
    std::string message;

    friend bool operator==(const Error&, const Error&) = default;
};

/// Formats "veer.toml:12: defaults.percent must be a number from 0 to 100, not 250".
std::string to_string(const Error& error);

template <class T>
using Result = boost::system::result<T, Error>;

/// What holds in the file's place: an operator's SET.
struct Override {
    std::string key;    ///< "compare.load_max"
    std::string value;  ///< as TOML writes it

    friend bool operator==(const Override&, const Override&) = default;
};

/// Reads a TOML text. An unknown table or key is an error, as is any value outside its limits; of
/// several problems the first by line is reported, with the number of further ones.
///
/// `overrides` are read as if the file said them, so that they are checked with all the rest, and
/// whatever falls back to them does.
Result<Config> parse(
    std::string_view text, std::string_view file_name, std::span<const Override> overrides = {}
);

/// Reads a file; a missing or unreadable one is an error that names it.
Result<Config> load(const std::filesystem::path& path, std::span<const Override> overrides = {});

}  // namespace veer::config
