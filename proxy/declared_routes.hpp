#pragma once

#include "router/declarations.hpp"

#include <boost/system/result.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace veer::proxy {

/// What statements have declared, from and to the file `routes` in the data directory. Its form is
/// router/declaration.hpp's. Without a file there is nothing declared; of a broken one nothing is
/// taken and nothing overwritten: a sentence with its name and the line.
boost::system::result<std::unique_ptr<router::Declarations>, std::string> load_declarations(
    const std::filesystem::path& directory, const std::string& database
);

}  // namespace veer::proxy
