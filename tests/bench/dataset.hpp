#pragma once

#include "index/metric.hpp"
#include "tests/bench/npy.hpp"
#include "tests/demo/load.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace veer::bench {

/// A table to search, what to fill it with, and queries that are not in it.
struct Dataset {
    std::string title;
    index::Metric metric = index::Metric::cosine;
    demo::Table table;
    demo::DocumentSource source;
    Vectors queries;

    /// pgvector's operator of the metric, `<=>` or `<->`.
    std::string distance() const;
};

/// "100,000 x 768 made up, clustered"
std::string described(const Dataset& dataset);

/// The demo's corpus, table `documents`.
Dataset made_up(
    std::size_t rows, std::size_t dimensions, std::size_t queries, index::Metric metric
);

/// base.npy, without rows that are another one's equal, and query.npy (float32) of a directory,
/// table `documents`; nothing when it has none. Throws std::runtime_error when a file is there and
/// cannot be understood.
std::optional<Dataset> real(
    const std::string& directory, std::size_t queries, index::Metric metric
);

/// The first ten rows, table `ten_rows`: a search of them costs little more than its way there and
/// back.
Dataset ten_of(const Dataset& dataset);

}  // namespace veer::bench
