#pragma once

#include "tests/bench/contenders.hpp"
#include "tests/bench/dataset.hpp"
#include "tests/bench/knn.hpp"
#include "tests/demo/search.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace veer::bench {

/// What libraries reach with a set's rows in this process: as many threads search as clients do
/// over the wire, and there is no wire.
class InProcess {
  public:
    /// `truth` are the exact answers to the set's queries, in ids of its table.
    InProcess(const Dataset& dataset, std::vector<demo::Ids> truth);

    void build(Contender& contender) const;

    /// Searches per second of all threads together, medians of the rounds.
    Point measure(Contender& contender, int ef_search, std::size_t clients, std::size_t rounds)
        const;

  private:
    double recall(Contender& contender, std::size_t ef) const;

    std::vector<demo::Ids> truth_;
    std::vector<std::int64_t> ids_;  // in the table, of the set's rows
    SearchedSet set_;
};

}  // namespace veer::bench
