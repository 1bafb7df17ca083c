#include "proxy/index_options.hpp"

#include "index/reserved_memory.hpp"
#include "router/route.hpp"
#include "storage/store/rocks_chunks.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

namespace veer::proxy {

namespace {

/// A whole index of some thousand rows; of a large one, little.
constexpr std::size_t vectors_in_memory_first = std::size_t{8} << 20;

/// Whether files there can be mapped: some file systems refuse it, and a route would have no
/// memory.
bool can_be_mapped(const std::string& directory) {
    try {
        return index::ReservedMemory(1, {directory, 0}).grow(1);
    } catch (const std::bad_alloc&) {
        return false;
    }
}

index::VectorFile vector_file(const config::Config& config) {
    if (config.storage.vectors == config::Storage::Vectors::memory) {
        return {};
    }
    const bool automatic = config.storage.vectors == config::Storage::Vectors::automatic;
    std::string directory = config.storage.dir + "/vectors";
    std::error_code problem;
    std::filesystem::create_directories(directory, problem);
    if (problem || ::access(directory.c_str(), W_OK | X_OK) != 0) {
        problem = problem ? problem : std::error_code{errno, std::generic_category()};
        spdlog::error("vectors are kept in memory: {}: {}", directory, problem.message());
        return {};
    }
    if (automatic && !index::suits_vectors(directory)) {
        spdlog::info("vectors are kept in memory: of the file system of {}", directory);
        return {};
    }
    if (!can_be_mapped(directory)) {
        spdlog::error("vectors are kept in memory: no file can be mapped in {}", directory);
        return {};
    }
    return {directory, automatic ? vectors_in_memory_first : 0};
}

/// As a statement has it that has declared the route.
index::Quantization quantization(
    const router::Declarations::All& declared,
    const storage::Table& table,
    const storage::AnnIndex& ann
) {
    for (const router::Declaration& each : declared) {
        if (router::is_about(each, table, ann)) {
            return each.quantization == "none"  ? index::Quantization::none
                   : each.quantization == "sq8" ? index::Quantization::sq8
                                                : index::Quantization::automatic;
        }
    }
    return index::Quantization::automatic;
}

}  // namespace

std::unique_ptr<storage::ChunkStore> open_checkpoints(const config::Config& config) {
    if (config.storage.checkpoint_interval.count() == 0) {
        return nullptr;
    }
    auto opened = storage::store::open_chunks(config.storage.dir + "/graphs");
    if (!opened.has_value()) {
        spdlog::error("no checkpoints of graphs: {}", opened.error().message);
        return nullptr;
    }
    return *std::move(opened);
}

std::uint64_t index_memory_max(const config::Config& config) {
    const std::uint64_t asked = config.limits.index_memory_max;
    return asked == 0 ? index::memory_allowed_bytes() / 2 : asked;
}

index::ReplicaOptions replica_options(
    const config::Config& config,
    unsigned threads,
    storage::ChunkStore* checkpoints,
    const router::Declarations& declarations
) {
    return {
        .threads = config.sync.build_threads == 0 ? threads : config.sync.build_threads,
        .memory_bytes_max = index_memory_max(config),
        .route_bytes_max =
            [routes = config.routes](const storage::Table& table, const storage::AnnIndex& ann) {
                const auto found =
                    std::find_if(routes.begin(), routes.end(), [&](const config::Route& route) {
                        return router::is_about(route, table, ann);
                    });
                return found == routes.end() ? 0 : found->memory_max;
            },
        .quantization = [&declarations](
                            const storage::Table& table, const storage::AnnIndex& ann
                        ) { return quantization(*declarations.all(), table, ann); },
        .vector_file = vector_file(config),
        .checkpoints = checkpoints,
        .checkpoint_interval = config.storage.checkpoint_interval};
}

}  // namespace veer::proxy
