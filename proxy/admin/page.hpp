#pragma once

#include <string_view>

namespace veer::proxy::admin {

/// The page: HTML, styles and script in one, from page.html.
std::string_view page_html();

/// What it may do (Content-Security-Policy): its own script and style, and its own site.
std::string_view page_policy();

}  // namespace veer::proxy::admin
