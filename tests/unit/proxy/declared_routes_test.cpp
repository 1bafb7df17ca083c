#include "proxy/declared_routes.hpp"

#include "tests/unit/proxy/scratch_directory.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace veer::proxy {

namespace {

router::Declaration docs() {
    router::Declaration made;
    made.name = "docs_e";
    made.schema = "public";
    made.table = "docs";
    made.column = "e";
    made.operator_name = "<=>";
    return made;
}

std::string text_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("declared routes are there for the next one who reads", "[proxy]") {
    const ScratchDirectory directory;
    {
        const auto first = load_declarations(directory.path, "app");
        REQUIRE(first.has_value());
        CHECK((*first)->all()->empty());
        CHECK((*first)->database() == "app");
        CHECK(!(*first)->add(docs()));
    }
    const auto second = load_declarations(directory.path, "app");
    REQUIRE(second.has_value());
    CHECK(*(*second)->all() == router::Declarations::All{docs()});
    const auto other = load_declarations(directory.path, "other");
    REQUIRE(other.has_error());
    CHECK(other.error().find("another database") != std::string::npos);
}

TEST_CASE("a broken file of declared routes is named with its line, and left", "[proxy]") {
    const ScratchDirectory directory;
    const std::filesystem::path file = directory.path / "routes";
    for (const auto& [text, line] :
         {std::pair{"", 1},
          {"veer routes 1 of \"app\"\nindex docs\n", 2},
          {"veer routes 1 of \"app\"\nend 0 0\n", 2}}) {
        std::ofstream(file, std::ios::binary) << text;
        const auto loaded = load_declarations(directory.path, "app");
        REQUIRE(loaded.has_error());
        CHECK(loaded.error().starts_with(file.string() + ':' + std::to_string(line) + ": "));
        CHECK(text_of(file) == text);
    }
}

TEST_CASE("routes that cannot be stored are not declared", "[proxy]") {
    const ScratchDirectory directory;
    const auto loaded = load_declarations(directory.path / "gone", "app");
    REQUIRE(loaded.has_value());
    const auto why = (*loaded)->add(docs());
    REQUIRE(why);
    CHECK(why->sqlstate == "58030");
    CHECK((*loaded)->all()->empty());
}

}  // namespace veer::proxy
