#pragma once

#include "index/metric.hpp"

#include <cstdint>
#include <span>

namespace veer::router::compare {

/// How far apart two distances may be and still be the same: both engines add up float32 in orders
/// of their own (CUTOVER.md 2.3, measured up to 3,072 dimensions).
///
///     | a - b | <= relative * | larger | + absolute
///
/// Cosine distance is 1 minus a sum, and an inner product may cancel: what is small there has the
/// error of what was added up, hence the absolute part.
struct Tolerance {
    double relative = 1e-6;
    double absolute = 0;

    /// The slack at a distance.
    double at(double distance) const;

    bool same(double a, double b) const;

    /// `a` is nearer than `b` by more than any error.
    bool nearer(double a, double b) const;

    /// Ten times as strict, or as lenient: whether verdicts then differ shows if it matters.
    Tolerance scaled(double factor) const;

    friend bool operator==(const Tolerance&, const Tolerance&) = default;
};

/// For distances of a column to `query`. Under inner product rows are taken to be about as long as
/// the query, as vectors of one model are.
Tolerance tolerance_for(index::Metric metric, std::span<const float> query);

}  // namespace veer::router::compare
