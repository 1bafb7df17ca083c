#include "proxy/state_files.hpp"

#include "tests/unit/proxy/scratch_directory.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace veer::proxy {

namespace {

struct Directory : ScratchDirectory {
    std::string text(const char* name) const {
        std::ostringstream text;
        text << std::ifstream(path / name).rdbuf();
        return text.str();
    }
};

}  // namespace

TEST_CASE("state and audit are there for the next one who reads", "[proxy]") {
    const Directory directory;
    {
        StateFiles files(directory.path / "data");
        const auto found = files.read();
        CHECK(found.state.empty());
        CHECK(found.problem.empty());
        CHECK(files.save_state("one\n").empty());
        CHECK(files.save_state("two\n").empty());
        CHECK(files.append_audit("a").empty());
        CHECK(files.append_audit("b").empty());
    }
    StateFiles files(directory.path / "data");
    const auto found = files.read();
    CHECK(found.state == "two\n");
    CHECK(found.last_audit == "b");
    CHECK(files.append_audit("c").empty());
    CHECK(directory.text("data/audit.jsonl") == "a\nb\nc\n");
    CHECK_FALSE(std::filesystem::exists(directory.path / "data/cutover.state.new"));
}

TEST_CASE("an audit line that is cut short is cut off, and the others stay", "[proxy]") {
    const Directory directory;
    std::ofstream(directory.path / "audit.jsonl") << "a\nb\nhal";
    StateFiles files(directory.path);
    CHECK(files.read().last_audit == "b");
    CHECK(files.append_audit("c").empty());
    CHECK(directory.text("audit.jsonl") == "a\nb\nc\n");
}

TEST_CASE("a state that is empty is a problem, one that is missing is none", "[proxy]") {
    const Directory directory;
    std::ofstream(directory.path / "cutover.state").flush();
    CHECK_FALSE(StateFiles(directory.path).read().problem.empty());
    std::filesystem::remove(directory.path / "cutover.state");
    CHECK(StateFiles(directory.path).read().problem.empty());
}

TEST_CASE("a directory that cannot be written to is told, not ignored", "[proxy]") {
    const Directory directory;
    std::ofstream(directory.path / "file").flush();
    StateFiles files(directory.path / "file");
    CHECK_FALSE(files.read().problem.empty());
    CHECK_FALSE(files.save_state("x").empty());
    CHECK_FALSE(files.append_audit("x").empty());
}

TEST_CASE("a panic file is seen when it comes and when it goes", "[proxy]") {
    const Directory directory;
    const StateFiles files(directory.path);
    CHECK_FALSE(files.panic_file());
    std::ofstream(directory.path / "panic").flush();
    CHECK(files.panic_file());
    std::filesystem::remove(directory.path / "panic");
    CHECK_FALSE(files.panic_file());
}

}  // namespace veer::proxy
