#pragma once

#include <string>

namespace veer::proxy {

struct ReportOptions {
    std::string dsn;        ///< libpq syntax, of a running veer
    bool json = false;      ///< else text
    std::string html_file;  ///< besides, as a page
    std::string since;      ///< a duration such as "1h"; empty: all there is
};

/// `veer report`: what a running veer's comparisons have come to, on standard output. Returns 0
/// where all compared routes pass, 1 where one fails, 2 where there is not enough evidence, 3 where
/// veer cannot be reached.
int report(const ReportOptions& options);

}  // namespace veer::proxy
