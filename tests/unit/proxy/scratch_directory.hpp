#pragma once

#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace veer::proxy {

/// A directory that goes with the test.
struct ScratchDirectory {
    ScratchDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "veer-proxy-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path = name;
    }

    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    ~ScratchDirectory() { std::filesystem::remove_all(path); }

    std::filesystem::path path;
};

}  // namespace veer::proxy
