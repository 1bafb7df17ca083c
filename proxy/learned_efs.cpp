#include "proxy/learned_efs.hpp"

#include "proxy/state_files.hpp"

#include <spdlog/spdlog.h>

#include <fstream>
#include <string>
#include <utility>

namespace veer::proxy {

namespace {

constexpr const char* file_name = "learned.ef";

}  // namespace

std::vector<router::LearnedEf> read_learned_efs(const std::filesystem::path& directory) {
    std::ifstream stream(directory / file_name, std::ios::binary);
    std::string text(router::learned_text_max + 1, '\0');  // by the last byte it is too long
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    std::vector<router::LearnedEf> learned = router::learned_efs(text);
    if (learned.empty() && !text.empty()) {
        spdlog::info("{} is damaged, or another veer's: ef_search is learnt anew", file_name);
    }
    return learned;
}

std::function<void(const std::vector<router::LearnedEf>&)> learned_efs_keeper(
    std::filesystem::path directory
) {
    return [directory = std::move(directory)](const std::vector<router::LearnedEf>& learned) {
        const std::string problem = replace_file(directory, file_name, router::to_text(learned));
        if (!problem.empty()) {
            spdlog::warn("{}: {}", file_name, problem);
        }
    };
}

}  // namespace veer::proxy
