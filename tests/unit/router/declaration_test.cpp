#include "router/declaration.hpp"

#include "router/declarations.hpp"

#include <catch2/catch_test_macros.hpp>

namespace {

using namespace veer::router;
using All = Declarations::All;

Declaration index(std::string name, std::string op = "<=>") {
    Declaration made;
    made.name = std::move(name);
    made.schema = "shop";
    made.table = "docs";
    made.column = "e";
    made.operator_name = std::move(op);
    return made;
}

Declaration collection(std::string name, std::string op) {
    Declaration made = index(std::move(name), std::move(op));
    made.kind = Declaration::Kind::collection;
    return made;
}

All some() {
    All all{index("docs_e"), collection("a \"quoted\\\n name", "<->")};
    all[1].table = "on \"x\" ";
    all[1].dimensions = 384;
    all[1].m = 24;
    all[1].ef_construction = 200;
    all[1].quantization = "sq8";
    return all;
}

BrokenText broken(std::string_view text) {
    const auto read = declarations_from_text("app", text);
    const auto* const why = std::get_if<BrokenText>(&read);
    REQUIRE(why != nullptr);
    return *why;
}

TEST_CASE("Declarations are read as they were written", "[declaration]") {
    for (const All& all : {All{}, some()}) {
        const auto read = declarations_from_text("app", to_text("app", all));
        REQUIRE(std::holds_alternative<All>(read));
        CHECK(std::get<All>(read) == all);
    }
    CHECK(to_text("a\"pp", {index("docs_e")})
              .starts_with("veer routes 1 of \"a\\\"pp\"\nindex \"docs_e\" on \"shop\" \"docs\" "
                           "\"e\" <=> dimensions 0 m 16 "
                           "ef_construction 64 quantization auto\nend 1 "));
}

TEST_CASE("No part of a declarations' file is taken for all of it", "[declaration]") {
    const std::string text = to_text("app", some());
    for (std::size_t size = 0; size < text.size(); ++size) {
        CAPTURE(size);
        CHECK(broken(std::string_view(text).substr(0, size)).line >= 1);
    }
    CHECK(broken(text + "x\n").line == 4);
    CHECK(broken(text + text).line == 4);
}

TEST_CASE("Any other byte in a declarations' file is noticed", "[declaration]") {
    const std::string text = to_text("app", some());
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (const char other : {' ', '0', 'x', '"', '\n'}) {
            std::string changed = text;
            changed[at] = other;
            if (changed != text) {
                CAPTURE(at, changed);
                CHECK(std::holds_alternative<BrokenText>(declarations_from_text("app", changed)));
            }
        }
    }
}

TEST_CASE("A broken declarations' file names its line", "[declaration]") {
    CHECK(broken("").line == 1);
    CHECK(
        broken("veer routes 1 of \"b\"\nend 0 0\n").message.find("database") != std::string::npos
    );
    CHECK(broken(to_text("other", {})).line == 1);
    CHECK(broken("veer routes 2\nend 0 0\n").line == 1);
    CHECK(broken("veer routes 1 of \"app\"\nindex docs\nend 1 0\n").line == 2);
    CHECK(
        broken("veer routes 1 of \"app\"\nend 0 0\n") ==
        BrokenText{2, "count or checksum are of another text"}
    );
    CHECK(broken("veer routes 1 of \"app\"\n").line == 2);
}

TEST_CASE("Declarations are stored before anybody sees them", "[declaration]") {
    All stored;
    std::string problem;
    Declarations declarations({}, "app", [&](const All& all) {
        if (problem.empty()) {
            stored = all;
        }
        return problem;
    });
    const std::uint64_t first = declarations.revision();
    CHECK(!declarations.add(index("docs_e")));
    CHECK(stored == All{index("docs_e")});
    CHECK(declarations.revision() != first);
    CHECK(declarations.has_index("docs_e"));
    CHECK(!declarations.has_index("docs"));

    problem = "the disk is full";
    const std::uint64_t second = declarations.revision();
    const auto why = declarations.remove(index("docs_e"));
    REQUIRE(why);
    CHECK(why->sqlstate == "58030");
    CHECK(why->message.ends_with(problem));
    CHECK(*declarations.all() == All{index("docs_e")});
    CHECK(declarations.revision() == second);

    problem.clear();
    CHECK(!declarations.remove(index("docs_e")));
    CHECK(stored.empty());
    CHECK(declarations.remove(index("docs_e"))->sqlstate == "42704");
}

TEST_CASE("Two declarations are not of one name, nor of one route", "[declaration]") {
    const All all{index("docs_e"), collection("docs", "<->")};
    CHECK(collision(index("docs_e", "<#>"), all)->sqlstate == "42P07");
    CHECK(collision(collection("docs", "<#>"), all)->sqlstate == "42710");
    CHECK(collision(index("other"), all)->sqlstate == "42710");
    CHECK(collision(collection("other", "<->"), all)->sqlstate == "42710");
    CHECK(!collision(index("docs", "<#>"), all));  // an index and a collection
    Declaration other_table = collection("docs_e", "<#>");
    other_table.schema = "evil";
    CHECK(collision(other_table, all)->sqlstate == "42710");  // the index'
    other_table.name = "docs";
    CHECK(collision(other_table, {index("docs_e")})->sqlstate == "42710");  // the table's
    other_table.name = "things";
    CHECK(!collision(other_table, all));
    Declaration elsewhere = index("docs_e");
    elsewhere.schema = "public";
    CHECK(!collision(elsewhere, all));
    CHECK(collision(index("more", "<#>"), All(Declarations::most, elsewhere))->sqlstate == "54000");
}

}  // namespace
