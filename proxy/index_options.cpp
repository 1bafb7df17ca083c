#include "proxy/index_options.hpp"

#include "storage/store/rocks_chunks.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace veer::proxy {

namespace {

/// Empty where vectors are in memory, or have to be.
std::string vectors_directory(const config::Config& config) {
    if (config.storage.vectors == config::Storage::Vectors::memory) {
        return {};
    }
    std::string directory = config.storage.dir + "/vectors";
    std::error_code problem;
    std::filesystem::create_directories(directory, problem);
    if (problem || ::access(directory.c_str(), W_OK | X_OK) != 0) {
        problem = problem ? problem : std::error_code{errno, std::generic_category()};
        spdlog::error("vectors are kept in memory: {}: {}", directory, problem.message());
        return {};
    }
    return directory;
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
    const config::Config& config, unsigned threads, storage::ChunkStore* checkpoints
) {
    return {
        .threads = threads,
        .memory_bytes_max = index_memory_max(config),
        .route_bytes_max =
            [routes = config.routes](const storage::Table& table, const storage::AnnIndex& ann) {
                const config::ColumnName column{
                    .schema = table.schema,
                    .table = table.name,
                    .column = table.columns[table.vectors[ann.vector]].name};
                const auto found =
                    std::find_if(routes.begin(), routes.end(), [&](const config::Route& route) {
                        return route.column == column && route.operator_name == ann.operator_name;
                    });
                return found == routes.end() ? 0 : found->memory_max;
            },
        .vectors_directory = vectors_directory(config),
        .checkpoints = checkpoints,
        .checkpoint_interval = config.storage.checkpoint_interval};
}

}  // namespace veer::proxy
