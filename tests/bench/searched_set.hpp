#pragma once

#include "index/metric.hpp"
#include "tests/bench/npy.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace veer::bench {

/// Vectors to search among, queries that are not among them, and how far the last right answer is.
struct SearchedSet {
    std::string name;
    index::Metric metric = index::Metric::cosine;
    Vectors rows;
    Vectors queries;
    std::vector<double>
        kth_distance;  ///< of each query: pgvector's distance of the 10th nearest row

    std::size_t dimensions() const { return rows.at(0).size(); }
};

inline constexpr std::size_t neighbours = 10;

/// What is made up: rows about 200 centres that vary in 32 directions and a little in all, as
/// embeddings do; of many dimensions, few are free.
struct Recipe {
    std::size_t rows = 0;
    std::size_t dimensions = 0;
    std::size_t queries = 0;
    index::Metric metric = index::Metric::cosine;
};

/// Exact answers are computed once and kept as files in `cache`.
SearchedSet made_up(const Recipe& recipe, const std::filesystem::path& cache);

/// base.npy and query.npy of a directory.
SearchedSet real(
    const std::filesystem::path& directory,
    index::Metric metric,
    std::size_t queries_max,
    const std::filesystem::path& cache
);

}  // namespace veer::bench
