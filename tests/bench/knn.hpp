#pragma once

#include "tests/bench/race.hpp"
#include "tests/demo/terminal.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace veer::bench {

/// What one engine reaches at one hnsw.ef_search.
struct Point {
    int ef_search = 0;
    double recall = 0;
    double searches_per_second = 0;
};

using Curve = std::vector<Point>;

/// The fastest point whose recall is good enough.
std::optional<Point> fastest(const Curve& curve, double recall_min);

struct KnnOptions {
    RaceOptions race;
    std::string ratios;  // file to which lines are added
    std::string points;  // file to which every point is added: set, clients, answer, engine,
                         // condition, ef_search, recall, searches/s
};

/// Recall and throughput of pgvector, veer and what veer is made of, over one set.
///
/// 1. LOCAL (key and distance) and REWRITE (the row), with one client and with eight, by ef_search;
/// LOCAL under conditions.
/// 2. Beside each LOCAL, a table of ten rows: what a search costs besides searching (the floor).
/// 3. hnswlib with float32 and veer's index in this process, with as many threads as clients, and
/// what LOCAL takes above the floor as a multiple of veer's index alone.
///
/// Returns whether veer has answered whatever it was asked.
bool knn(const KnnOptions& options, const Dataset& dataset, demo::Terminal& terminal);

}  // namespace veer::bench
