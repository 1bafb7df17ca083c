#pragma once

#include "tests/bench/npy.hpp"
#include "tests/demo/load.hpp"

#include <optional>
#include <string>
#include <vector>

namespace veer::bench {

/// A table to search, what to fill it with, and queries that are not in it.
struct Dataset {
    std::string title;
    demo::Table table;
    demo::DocumentSource source;
    Vectors queries;
};

/// The demo's corpus, table `documents`.
Dataset made_up(std::size_t rows, std::size_t dimensions, std::size_t queries);

/// base.npy and query.npy (float32) of a directory, table `real_documents`; nothing when it has
/// none. Throws std::runtime_error when a file is there and cannot be understood.
std::optional<Dataset> real(const std::string& directory, std::size_t queries);

}  // namespace veer::bench
