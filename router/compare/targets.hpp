#pragma once

#include <cstdint>

namespace veer::router::compare {

/// What a route must come up to in a report: what the gates ask for, before more traffic may come.
struct Targets {
    double recall = 0.98;
    double pg_margin = 0.01;     ///< veer's recall may be so much lower than pgvector's
    std::uint64_t judged = 200;  ///< comparisons with an exact answer
    double excluded_share = 0.05;
};

}  // namespace veer::router::compare
