#include "storage/store/rocks_chunks.hpp"

#include <catch2/catch_test_macros.hpp>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace veer::storage;
using veer::storage::store::open_chunks;

namespace {

namespace fs = std::filesystem;

/// A path of this test's own, gone with it.
struct Directory {
    Directory() { fs::remove_all(path); }

    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    ~Directory() { fs::remove_all(path); }

    std::string path =
        (fs::temp_directory_path() / ("veer-chunks-" + std::to_string(::getpid()))).string();
};

}  // namespace

TEST_CASE("Chunks are there after reopening, those erased are not", "[storage]") {
    const Directory directory;
    const std::string binary("k\0\xFF", 3);
    {
        const auto chunks = open_chunks(directory.path).value();
        chunks->put("ga", "1").value();
        chunks->put("gb", std::string(300'000, 'x')).value();
        chunks->put(binary, "3").value();
        const std::vector<std::string> erased{"ga", "never there"};
        chunks->commit("gm", "names b", erased).value();
        CHECK(chunks->keys("g").value() == std::vector<std::string>{"gb", "gm"});
    }
    const auto chunks = open_chunks(directory.path).value();
    CHECK(chunks->keys("g").value() == std::vector<std::string>{"gb", "gm"});
    CHECK(chunks->keys("h").value().empty());
    CHECK_FALSE(chunks->read("ga").value().has_value());
    CHECK(chunks->read("gb").value() == std::string(300'000, 'x'));
    CHECK(chunks->read(binary).value() == "3");
    CHECK(fs::status(directory.path).permissions() == fs::perms::owner_all);
}

TEST_CASE("A directory of chunks that is in use, damaged or none is an error", "[storage]") {
    const Directory directory;
    {
        const auto chunks = open_chunks(directory.path).value();
        CHECK(open_chunks(directory.path).error().code == Errc::disk);
    }
    std::ofstream{directory.path + "/CURRENT"} << "nonsense\n";
    CHECK(open_chunks(directory.path).error().code == Errc::disk);
    CHECK(open_chunks(directory.path + "/CURRENT/x").error().code == Errc::disk);
}
