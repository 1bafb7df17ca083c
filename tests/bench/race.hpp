#pragma once

#include "tests/bench/dataset.hpp"
#include "tests/demo/search.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace veer::bench {

struct RaceOptions {
    std::string direct;  // DSN of PostgreSQL itself
    std::string veer;
    std::size_t rounds = 3;
    std::size_t clients = 1;  // connections that search at the same time, each on its own thread
    std::string condition =
        "true";  // of WHERE; pgvector then scans on (iterative_scan) until LIMIT
};

struct Result {
    double recall = 0;
    double searches_per_second = 0;  // median of the rounds
    std::size_t searches = 0;        // of one round
};

struct Comparison {
    int ef_search = 0;
    demo::Projection projection{};
    Result direct;
    Result veer;
    double answered_by_veer = 0;  // share of the searches sent through veer
};

/// How fast and how right pgvector and veer answer the same queries, by hnsw.ef_search.
///
/// 1. Both are measured by the same code: prepared statements, binary vectors, the same client
/// threads.
/// 2. They take turns round by round, so that a noisy machine disturbs both alike; medians count.
/// 3. Before the first round everything has been asked once.
class Race {
  public:
    Race(const RaceOptions& options, const Dataset& dataset);
    ~Race();

    Comparison run(int ef_search, demo::Projection projection);

  private:
    class Engine;

    const Dataset& dataset_;
    RaceOptions options_;
    std::vector<demo::Ids> truth_;
    std::unique_ptr<Engine> direct_;
    std::unique_ptr<Engine> veer_;
};

}  // namespace veer::bench
