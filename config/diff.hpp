#pragma once

#include "config/config.hpp"

#include <string>
#include <vector>

namespace veer::config {

/// One difference between two configurations, as an operator is told of it at a reload. Secrets are
/// redacted, so `before` and `after` of a new password look alike.
struct Change {
    std::string key;     ///< "limits.k_max", "route public.documents.embedding <=> percent"
    std::string before;  ///< as the file would say it; empty where a route is new
    std::string after;   ///< empty where a route is gone
    bool restart_required = false;

    friend bool operator==(const Change&, const Change&) = default;
};

/// Lists what differs: keys in the order of the file, then routes changed or gone, then new ones.
/// Empty exactly if before == after up to the order of routes.
std::vector<Change> diff(const Config& before, const Config& after);

/// Writes a configuration as TOML that parse() reads back to the same, passwords apart.
std::string to_text(const Config& config);

}  // namespace veer::config
