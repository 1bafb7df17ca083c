#include "proxy/learned_efs.hpp"

#include "tests/unit/proxy/scratch_directory.hpp"

#include <catch2/catch_test_macros.hpp>

#include <fstream>

namespace veer::proxy {

TEST_CASE("What routes have learnt is there after a restart", "[proxy]") {
    const ScratchDirectory directory;
    CHECK(read_learned_efs(directory.path).empty());
    const auto keep = learned_efs_keeper(directory.path);
    keep({{"documents", "index", 0.99, 20, 1000}});
    const std::vector<router::LearnedEf> learned{
        {"documents", "index", 0.99, 28, 1000}, {"others", "index", 0.95, 10, 5}};
    keep(learned);
    CHECK(read_learned_efs(directory.path) == learned);
    std::ofstream(directory.path / "learned.ef", std::ios::app) << "cut";
    CHECK(read_learned_efs(directory.path).empty());
    keep(learned);
    CHECK(read_learned_efs(directory.path) == learned);
}

TEST_CASE("Where nothing can be kept, the next process learns anew", "[proxy]") {
    const ScratchDirectory directory;
    const auto nowhere = directory.path / "missing";
    learned_efs_keeper(nowhere)({{"documents", "index", 0.99, 20, 1000}});
    CHECK(read_learned_efs(nowhere).empty());
    std::ofstream(directory.path / "learned.ef") << std::string(2 * router::learned_text_max, '0');
    CHECK(read_learned_efs(directory.path).empty());
    std::filesystem::remove(directory.path / "learned.ef");
    std::filesystem::create_directory(directory.path / "learned.ef");
    CHECK(read_learned_efs(directory.path).empty());
}

}  // namespace veer::proxy
