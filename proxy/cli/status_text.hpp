#pragma once

#include "proxy/cli/console_client.hpp"

#include <string>

namespace veer::proxy::cli {

/// What veer status asks for.
struct Look {
    Answer version;
    Answer routes;
    Answer replication;
    Answer indexes;
    Answer copies;
};

/// Asks a running veer for all of it.
boost::system::result<Look, Trouble> look_around(const std::string& directory);

bool terminal_is_utf8();

/// One tree a route; `before` is the look of a second ago, for rates, or empty. Without `utf8` in
/// plain ASCII.
std::string status_text(const Look& look, const Look& before, bool utf8);

}  // namespace veer::proxy::cli
