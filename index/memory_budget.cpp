#include "index/memory_budget.hpp"

#include "index/reserved_memory.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace veer::index {

namespace {

/// Without a number, as in "max": nothing to say.
std::uint64_t least_with(std::uint64_t bytes, const std::string& file) {
    std::ifstream in{file};
    std::uint64_t limit = 0;
    return in >> limit ? std::min(bytes, limit) : bytes;
}

/// The process's own group in the unified hierarchy; empty where there is none.
std::string control_group() {
    std::ifstream in{"/proc/self/cgroup"};
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("0::")) {
            return line.substr(3);
        }
    }
    return {};
}

}  // namespace

std::uint64_t memory_allowed_bytes() {
    const std::string root = "/sys/fs/cgroup";
    std::uint64_t bytes =
        least_with(machine_memory_bytes(), root + "/memory/memory.limit_in_bytes");
    // A group is bound by those above it, too.
    for (std::string group = control_group(); !group.empty();
         group.resize(std::min(group.rfind('/'), group.size()))) {
        bytes = least_with(bytes, root + group + "/memory.max");
    }
    return least_with(bytes, root + "/memory.max");
}

}  // namespace veer::index
