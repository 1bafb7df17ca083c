#pragma once

#include "router/cutover/audit.hpp"

#include <boost/system/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace veer::proxy {

/// Of the audit's chain: SHA-256, in hexadecimal.
std::string audit_hash(std::string_view line);

/// Checks audit.jsonl of a data directory, or a copy of it elsewhere, against cutover.state beside
/// it, where that is. A running veer does not mind. A sentence where there is nothing to be read.
boost::system::result<router::cutover::Verified, std::string> verify_audit(
    const std::filesystem::path& file
);

}  // namespace veer::proxy
