#include "proxy/directory_lock.hpp"

#include "tests/unit/proxy/scratch_directory.hpp"

#include <catch2/catch_test_macros.hpp>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace veer::proxy {

TEST_CASE("a data directory has one veer, and the second is told which") {
    const ScratchDirectory scratch;
    const std::filesystem::path directory = scratch.path / "made" / "for it";
    {
        const auto first = DirectoryLock::take(directory);
        REQUIRE(first.has_value());
        CHECK(first->trouble().empty());
        const auto second = DirectoryLock::take(directory);
        REQUIRE(second.has_error());
        CHECK(second.error().find("process " + std::to_string(::getpid())) != std::string::npos);
        CHECK(second.error().find(directory.string()) != std::string::npos);
    }
    CHECK(DirectoryLock::take(directory).has_value());
}

TEST_CASE("whoever was killed leaves a lock file and no lock") {
    const ScratchDirectory scratch;
    std::ofstream(scratch.path / "veer.lock") << "4194304123\nlonger than a number of a process\n";
    const auto lock = DirectoryLock::take(scratch.path);
    REQUIRE(lock.has_value());
    const auto second = DirectoryLock::take(scratch.path);
    REQUIRE(second.has_error());
    CHECK(second.error().find("(process " + std::to_string(::getpid()) + ")") != std::string::npos);
}

TEST_CASE("where nothing can be locked veer goes on, and says so") {
    const ScratchDirectory scratch;
    const std::filesystem::path file = scratch.path / "no directory";
    std::ofstream(file) << "";
    const auto lock = DirectoryLock::take(file);
    REQUIRE(lock.has_value());
    CHECK_FALSE(lock->trouble().empty());
}

}  // namespace veer::proxy
