#pragma once

#include "tests/bench/searched_set.hpp"

#include <memory>
#include <string>
#include <vector>

namespace veer::bench {

/// One library with an index of a set's rows, m 16, ef_construction 64.
class Contender {
  public:
    Contender() = default;
    Contender(const Contender&) = delete;
    Contender& operator=(const Contender&) = delete;
    virtual ~Contender() = default;

    virtual std::string name() const = 0;
    virtual void build(const SearchedSet& set, unsigned threads) = 0;

    /// Numbers of the nearest rows.
    virtual std::vector<std::size_t> search(const std::vector<float>& query, std::size_t ef) = 0;
};

/// hnswlib itself, with float32 and veer's kernels, so that only graph and walk differ.
std::unique_ptr<Contender> hnswlib_float32();

/// veer as an application gets it.
std::unique_ptr<Contender> veer_automatic();

/// The same with vectors in a file in a directory, as it is by default.
std::unique_ptr<Contender> veer_in_file(const std::string& directory);

std::unique_ptr<Contender> veer_float32();

}  // namespace veer::bench
