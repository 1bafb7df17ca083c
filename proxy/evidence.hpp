#pragma once

#include "router/compare/golden_set.hpp"
#include "router/compare/mismatch_store.hpp"
#include "router/cutover/evidence.hpp"

#include <optional>

namespace veer::proxy {

/// What gates and guards hear of a comparison. Neither of the two modules knows the other.
///
/// pgvector's time is without the way to the server and back, as veer's is: clients wait for
/// that in both cases.
router::cutover::Comparison to_evidence(const router::compare::Mismatch& comparison);

/// The exact answer that a comparison had, for a golden set; nothing where nobody judged.
std::optional<router::compare::GoldenSet::Exact> exact_of(
    const router::compare::Mismatch& comparison
);

}  // namespace veer::proxy
