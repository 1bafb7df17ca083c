#pragma once

#include "router/learned_ef.hpp"

#include <filesystem>
#include <functional>
#include <vector>

namespace veer::proxy {

/// What routes have learnt, from `learned.ef` in the data directory; nothing where it is missing,
/// damaged or of another veer's. Reads a file: of whoever starts a process.
std::vector<router::LearnedEf> read_learned_efs(const std::filesystem::path& directory);

/// Keeps them there, replacing the file whole: not for a thread that serves clients. Where that
/// fails, the log says so, and the next process learns anew.
std::function<void(const std::vector<router::LearnedEf>&)> learned_efs_keeper(
    std::filesystem::path directory
);

}  // namespace veer::proxy
