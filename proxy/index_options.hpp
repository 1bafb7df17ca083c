#pragma once

#include "config/config.hpp"
#include "index/replica.hpp"
#include "router/declarations.hpp"
#include "storage/chunk_store.hpp"

#include <cstdint>
#include <memory>

namespace veer::proxy {

/// What the configuration says of the index. What cannot be had is said in the log, and veer serves
/// without it.

/// Without checkpoints graphs are built from the rows: slower, and nothing else.
std::unique_ptr<storage::ChunkStore> open_checkpoints(const config::Config& config);

/// [limits] index_memory_max, or half of what the machine allows.
std::uint64_t index_memory_max(const config::Config& config);

/// `checkpoints` may be null; both must outlive the replica.
index::ReplicaOptions replica_options(
    const config::Config& config,
    unsigned threads,
    storage::ChunkStore* checkpoints,
    const router::Declarations& declarations
);

}  // namespace veer::proxy
