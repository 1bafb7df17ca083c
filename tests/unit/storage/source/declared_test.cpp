#include "storage/source/declared.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::source;

namespace {

/// public.items (id bigint PRIMARY KEY, emb vector(3), old text, arr real[], any vector, n
/// numeric).
TableInput input() {
    TableInput made;
    made.facts.oid = 100;
    made.facts.schema = "public";
    made.facts.name = "items";
    const auto add = [&made](const char* name, std::uint32_t type, const char* type_name) {
        ColumnFacts column;
        column.column.name = name;
        column.column.attnum = static_cast<std::int16_t>(made.columns.size() + 1);
        column.column.type_oid = type;
        column.type_name = type_name;
        made.columns.push_back(column);
    };
    add("id", 20, "int8");
    add("emb", 16385, "vector");
    made.columns.back().column.typmod = 3;
    add("old", 25, "text");
    add("arr", 1021, "_float4");
    add("any", 16385, "vector");
    add("n", 1700, "numeric");
    made.identity = {1};
    made.operators = {
        {"<->", 16500, 16385}, {"<=>", 16501, 16385}, {"<->", 16600, 16386, "halfvec"}};
    return made;
}

DeclaredIndex declared(
    const std::string& column, const std::string& legacy = "", std::int32_t dimensions = 0
) {
    return {"public", "items", column, legacy, "<->", dimensions};
}

Catalogue judged(const TableInput& table, std::vector<DeclaredIndex> all) {
    Catalogue catalogue;
    ColumnChoices choices;
    choices.declared = std::move(all);
    judge(table, "vee", catalogue, choices);
    return catalogue;
}

std::string refusal(const TableInput& table, const DeclaredIndex& index) {
    const Catalogue catalogue = judged(table, {index});
    return catalogue.refused.empty() ? "" : catalogue.refused.front().reason;
}

}  // namespace

TEST_CASE("A column is indexed as vectors because it is declared so", "[storage]") {
    const Catalogue catalogue = judged(input(), {declared("old", "", 4), declared("arr", "", 2)});
    CHECK(catalogue.refused.empty());
    REQUIRE(catalogue.tables.size() == 1);
    const Table& table = catalogue.tables.front();
    CHECK(table.vectors == std::vector<std::size_t>{2, 3});
    CHECK(table.columns[2].form == VectorForm::text);
    CHECK(table.columns[2].dimensions() == 4);
    CHECK(table.columns[3].form == VectorForm::real_array);
    REQUIRE(table.indexes.size() == 2);
    CHECK(table.indexes[0].declared);
    CHECK(table.indexes[0].operator_oid == 16500);
    CHECK(table.indexes[0].type_oid == 16385);
    CHECK(table.indexes[1].vector == 1);
    CHECK(table.source_of(table.indexes[0]) == "old");
}

TEST_CASE("A legacy column takes the dimensions of the new one", "[storage]") {
    const Catalogue catalogue =
        judged(input(), {declared("emb", "old"), declared("any", "arr", 2)});
    CHECK(catalogue.refused.empty());
    REQUIRE(catalogue.tables.size() == 1);
    const Table& table = catalogue.tables.front();
    CHECK(table.columns[1].form == VectorForm::native);
    CHECK(table.columns[2].dimensions() == 3);
    CHECK(table.columns[4].form == VectorForm::unbound);
    CHECK(table.indexes[0].legacy == std::size_t{1});
    CHECK(table.source_of(table.indexes[1]) == "coalesce(any, arr)");
}

TEST_CASE("pgvector's own index serves what is declared as well", "[storage]") {
    TableInput table = input();
    IndexFacts index;
    index.name = "items_emb";
    index.method = "hnsw";
    index.attnum = 2;
    index.operator_class = "vector_l2_ops";
    index.operator_name = "<->";
    index.m = 8;
    table.indexes = {index};
    const Catalogue catalogue = judged(table, {declared("emb", "", 3), declared("emb", "old")});
    REQUIRE(catalogue.tables.size() == 1);
    REQUIRE(catalogue.tables.front().indexes.size() == 2);
    CHECK(catalogue.tables.front().indexes[0].m == 8);
    CHECK(catalogue.tables.front().vectors == std::vector<std::size_t>{1, 2});
}

TEST_CASE("What is declared is of all rows, though pgvector's index is of some", "[storage]") {
    TableInput table = input();
    IndexFacts index;
    index.name = "items_emb_of_one";
    index.method = "hnsw";
    index.attnum = 2;
    index.operator_class = "vector_l2_ops";
    index.operator_name = "<->";
    index.partial = true;
    table.indexes = {index};
    const Catalogue found = judged(table, {});
    REQUIRE(found.tables.size() == 1);
    CHECK(found.tables.front().indexes.at(0).partial);
    const Catalogue declared_too = judged(table, {declared("emb", "", 3)});
    REQUIRE(declared_too.tables.size() == 1);
    REQUIRE(declared_too.tables.front().indexes.size() == 1);
    CHECK_FALSE(declared_too.tables.front().indexes[0].partial);
}

TEST_CASE("A route follows its column though pgvector has no index on it", "[storage]") {
    TableInput table = input();
    table.columns[4].column.type_oid = 16386;
    table.columns[4].column.typmod = 5;
    table.columns[4].type_name = "halfvec";
    const Catalogue catalogue = judged(table, {declared("any"), declared("emb")});
    CHECK(catalogue.refused.empty());
    REQUIRE(catalogue.tables.size() == 1);
    const Table& found = catalogue.tables.front();
    CHECK(found.vectors == std::vector<std::size_t>{1, 4});
    REQUIRE(found.indexes.size() == 2);
    CHECK(found.indexes[0].vector == 1);
    CHECK(found.indexes[0].operator_oid == 16600);
    CHECK(found.columns[4].kind == VectorKind::halfvec);
    CHECK(found.indexes[1].vector == 0);
    CHECK(found.indexes[1].operator_oid == 16500);
    CHECK_FALSE(found.indexes[1].declared);
}

TEST_CASE("A route outlives pgvector's index on its column", "[storage]") {
    IndexFacts index;
    index.name = "items_emb";
    index.method = "hnsw";
    index.attnum = 2;
    index.operator_class = "vector_l2_ops";
    index.operator_name = "<->";
    index.operator_oid = 16500;
    index.m = 8;
    TableInput indexed = input();
    indexed.indexes = {index};
    const std::vector<DeclaredIndex> routes{declared("arr", "", 4), declared("emb")};
    const Table with = judged(indexed, routes).tables.at(0);
    const Table without = judged(input(), routes).tables.at(0);
    CHECK(with.same_rows(without));
    CHECK(without.same_rows(with));
    CHECK_FALSE(with.same_shape(without));
    indexed.indexes.front().m = 24;
    CHECK_FALSE(with.same_rows(judged(indexed, routes).tables.at(0)));
}

TEST_CASE("What cannot be declared is refused with the reason", "[storage]") {
    CHECK(refusal(input(), declared("old")).starts_with("its route says of no dimensions"));
    CHECK(
        refusal(input(), declared("emb", "old", 4)) ==
        "its column emb has 3 dimensions, and 4 are declared"
    );
    CHECK(refusal(input(), declared("n", "", 3)).find("has the type numeric") != std::string::npos);
    CHECK(refusal(input(), declared("gone", "", 3)) == "there is no column gone");
    TableInput without = input();
    without.operators.clear();
    CHECK(
        refusal(without, declared("old", "", 3)).find("CREATE EXTENSION vector;") !=
        std::string::npos
    );
    TableInput generated = input();
    generated.columns[2].generated = true;
    CHECK(refusal(generated, declared("old", "", 3)).starts_with("generated columns"));
    const Catalogue twice = judged(input(), {declared("old", "", 3), declared("emb", "old")});
    CHECK(twice.refused.empty());
    const Catalogue otherwise = judged(input(), {declared("old", "", 4), declared("emb", "old")});
    REQUIRE(otherwise.refused.size() == 1);
    CHECK(
        otherwise.refused[0].reason == "another route reads its column old with other dimensions"
    );
    CHECK(otherwise.refused[0].name == "public.items route coalesce(emb, old) <->");
}

TEST_CASE("What is declared while veer runs is seen at the next look", "[storage]") {
    std::vector<DeclaredIndex> later;
    ColumnChoices choices;
    choices.declared = {declared("old", "", 4)};
    choices.later = [&later] {
        return later;
    };
    CHECK(choices.as_of_now().declared == choices.declared);
    DeclaredIndex more = declared("emb");
    more.m = 24;
    more.ef_construction = 100;
    later = {more};
    CHECK(choices.as_of_now().declared == std::vector<DeclaredIndex>{declared("old", "", 4), more});
    later.clear();
    CHECK(choices.as_of_now().declared == choices.declared);

    const Catalogue catalogue = judged(input(), {more});
    REQUIRE(catalogue.tables.size() == 1);
    CHECK(catalogue.tables.front().indexes.front().m == 24);
    CHECK(catalogue.tables.front().indexes.front().ef_construction == 100);
}
