#include "storage/source/discover.hpp"

#include "storage/partitions.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::source;

namespace {

/// public.items (emb vector(3), id bigint PRIMARY KEY) with an hnsw index on emb.
TableInput good_input() {
    TableInput input;
    input.facts.oid = 100;
    input.facts.schema = "public";
    input.facts.name = "items";
    input.facts.file = "555";
    input.columns = {
        {{"emb", 1, 16385, -1, 3, false}, "vector", "700,", false, true, "1 16385 3 emb,"},
        {{"id", 2, 20, 8, -1, true}, "int8", "701,", false, true, "2 20 -1 id,"}};
    input.identity = {2};
    IndexFacts index;
    index.name = "items_emb";
    index.method = "hnsw";
    index.attnum = 1;
    index.operator_class = "vector_l2_ops";
    index.operator_name = "<->";
    input.indexes = {index};
    return input;
}

/// The only reason against the input, or "" where it is accepted.
std::string refusal(const TableInput& input) {
    Catalogue catalogue;
    judge(input, "vee", catalogue);
    CHECK(catalogue.tables.size() + catalogue.refused.size() == 1);
    return catalogue.refused.empty() ? "" : catalogue.refused.front().reason;
}

bool refused_for(const TableInput& input, const std::string& why) {
    INFO(refusal(input));
    return refusal(input).find(why) != std::string::npos;
}

}  // namespace

TEST_CASE("A table with a vector index and a key is copied", "[storage]") {
    Catalogue catalogue;
    judge(good_input(), "vee", catalogue);
    REQUIRE(catalogue.tables.size() == 1);
    const Table& table = catalogue.tables.front();
    CHECK(table.key == std::vector<std::size_t>{1});
    CHECK(table.vectors == std::vector<std::size_t>{0});
    CHECK(table.fingerprint == "701,700,|555|2 20 -1 id,1 16385 3 emb,");
    CHECK(catalogue.refused.empty());
}

TEST_CASE("A column's type is the kind of its vectors", "[storage]") {
    const auto check = [](const std::string& type, const std::string& operator_class) {
        TableInput input = good_input();
        input.columns[0].type_name = type;
        input.indexes.front().operator_class = type + "_" + operator_class + "_ops";
        Catalogue catalogue;
        judge(input, "vee", catalogue);
        REQUIRE(catalogue.tables.size() == 1);
        CHECK(to_string(catalogue.tables.front().columns[0].kind) == type);
    };
    for (const std::string type : {"vector", "halfvec", "sparsevec"}) {
        for (const std::string operator_class : {"l2", "cosine", "ip", "l1"}) {
            check(type, operator_class);
        }
    }
    check("bit", "hamming");
    check("bit", "jaccard");
}

TEST_CASE("Two indexes on one column share its vector", "[storage]") {
    TableInput input = good_input();
    input.indexes.push_back(input.indexes.front());
    input.indexes.back().method = "ivfflat";
    Catalogue catalogue;
    judge(input, "vee", catalogue);
    REQUIRE(catalogue.tables.size() == 1);
    CHECK(catalogue.tables.front().vectors.size() == 1);
    CHECK(catalogue.tables.front().indexes.size() == 2);
}

TEST_CASE("Of partial indexes one stands for all, where there is none of all rows", "[storage]") {
    TableInput input = good_input();
    input.indexes.front().partial = true;
    input.indexes.push_back(input.indexes.front());
    input.indexes.back().name = "items_emb2";
    Catalogue some;
    judge(input, "vee", some);
    REQUIRE(some.tables.size() == 1);
    CHECK(some.refused.empty());
    REQUIRE(some.tables.front().indexes.size() == 1);
    CHECK(some.tables.front().indexes.front().name == "items_emb");
    CHECK(some.tables.front().indexes.front().partial);

    input.indexes.push_back(input.indexes.front());
    input.indexes.back().name = "items_emb3";
    input.indexes.back().partial = false;
    Catalogue whole;
    judge(input, "vee", whole);
    REQUIRE(whole.tables.front().indexes.size() == 1);
    CHECK(whole.tables.front().indexes.front().name == "items_emb3");
    CHECK_FALSE(whole.tables.front().indexes.front().partial);
    CHECK(whole.tables.front().same_rows(some.tables.front()));
    CHECK_FALSE(whole.tables.front().same_shape(some.tables.front()));
}

TEST_CASE("Tables that the stream cannot follow are refused", "[storage]") {
    TableInput input = good_input();
    SECTION("partition") {
        input.facts.is_partition = true;
        CHECK(refused_for(input, "run CREATE INDEX on the root"));
    }
    SECTION("parent") {
        input.facts.has_children = true;
        CHECK(refused_for(input, "inheritance children"));
    }
    SECTION("materialized view") {
        input.facts.kind = 'm';
        CHECK(refused_for(input, "only ordinary tables"));
    }
    SECTION("unlogged") {
        input.facts.persistence = 'u';
        CHECK(refused_for(input, "ALTER TABLE public.items SET LOGGED;"));
    }
    SECTION("hidden rows") {
        input.facts.rows_hidden = true;
        CHECK(refused_for(input, "ALTER ROLE vee BYPASSRLS;"));
    }
    SECTION("schema") {
        input.facts.schema_usable = false;
        CHECK(refused_for(input, "GRANT USAGE ON SCHEMA public TO vee;"));
    }
    SECTION("replica identity nothing") {
        input.facts.replica_identity = 'n';
        CHECK(refused_for(input, "REPLICA IDENTITY DEFAULT;"));
    }
    SECTION("no key") {
        input.identity.clear();
        CHECK(refused_for(input, "no primary key"));
    }
    SECTION("key type") {
        input.columns[1].column.type_oid = 1700;
        input.columns[1].type_name = "numeric";
        CHECK(refused_for(input, "its key column id has the type numeric"));
    }
    SECTION("unreadable") {
        input.columns[0].readable = false;
        CHECK(refused_for(input, "GRANT SELECT ON public.items TO vee;"));
    }
}

TEST_CASE("Indexes that veer does not mirror are refused by name", "[storage]") {
    TableInput input = good_input();
    IndexFacts& index = input.indexes.front();
    SECTION("invalid") {
        index.valid = false;
        CHECK(refused_for(input, "not valid"));
    }
    SECTION("expression") {
        index.attnum = 0;
        CHECK(refused_for(input, "expressions"));
    }
    SECTION("operator class") {
        index.operator_class = "halfvec_l1_ops";
        CHECK(refused_for(input, "halfvec_l1_ops"));
    }
    SECTION("no dimensions") {
        input.columns[0].column.typmod = -1;
        CHECK(refused_for(input, "no fixed dimensions"));
    }
    SECTION("other type") {
        input.columns[0].type_name = "varbit";
        CHECK(refused_for(input, "varbit"));
    }
    SECTION("generated") {
        input.columns[0].generated = true;
        CHECK(refused_for(input, "generated"));
    }
}

namespace {

/// good_input() with a column of that type, after emb and id.
TableInput with_column(std::uint32_t type, const std::string& type_name, std::int16_t length) {
    TableInput input = good_input();
    input.columns.push_back(
        {{"extra", 4, type, length, -1, false}, type_name, "702,", false, true, "4 extra,"}
    );
    return input;
}

using Positions = std::vector<std::size_t>;

/// Table::copied, and what was refused.
std::pair<Positions, std::string> copied(const TableInput& input, const ColumnChoice& choice) {
    Catalogue catalogue;
    judge(input, "vee", catalogue, {{}, {{"public", "items", choice}}});
    REQUIRE(catalogue.tables.size() == 1);
    std::string refused;
    for (const Refusal& refusal : catalogue.refused_columns) {
        refused += refusal.name + ": " + refusal.reason + "\n";
    }
    return {catalogue.tables.front().copied, refused};
}

constexpr auto automatic = ColumnChoice::Kind::automatic;
constexpr auto none = ColumnChoice::Kind::none;
constexpr auto all = ColumnChoice::Kind::all;

}  // namespace

TEST_CASE("Key and columns of fixed length are copied, others where they are named", "[storage]") {
    const TableInput number = with_column(23, "int4", 4);
    CHECK(copied(number, {automatic}).first == Positions{1, 2});
    CHECK(copied(number, {none}).first.empty());
    const TableInput note = with_column(25, "text", -1);
    CHECK(copied(note, {automatic}).first == Positions{1});
    CHECK(copied(note, {automatic, {"extra"}}).first == Positions{1, 2});
    CHECK(copied(note, {none, {"extra"}}).first == Positions{2});
    CHECK(copied(note, {all}).first == Positions{1, 2});
    CHECK(copied(note, {all}).second.empty());

    Catalogue catalogue;
    judge(note, "vee", catalogue, {{automatic, {"extra", "elsewhere"}}, {}});
    REQUIRE(catalogue.tables.size() == 1);
    CHECK(catalogue.tables.front().copied == Positions{1, 2});
    CHECK(catalogue.tables.front().copied_fingerprint == "701,702,|555|2 20 -1 id,4 extra,");
    CHECK(catalogue.refused_columns.empty());  // other tables may have the other
}

TEST_CASE("A column that cannot be copied is refused where it is named", "[storage]") {
    TableInput input = with_column(25, "text", -1);
    std::string why;
    SECTION("type") {
        input = with_column(1700, "numeric", -1);
        why = "columns of type numeric are not supported yet";
    }
    SECTION("generated") {
        input.columns.back().generated = true;
        why = "generated columns do not come";
    }
    SECTION("collation") {
        input.columns.back().deterministic = false;
        why = "its collation takes different texts for equal";
    }
    SECTION("unreadable") {
        input.columns.back().readable = false;
        why = "role vee may not read it; run: GRANT SELECT ON public.items TO vee;";
    }
    SECTION("unknown") {
        input.columns.pop_back();
        why = "there is no such column";
    }
    const auto [positions, refused] = copied(input, {automatic, {"extra"}});
    INFO(refused);
    CHECK(positions == Positions{1});
    CHECK(refused.starts_with("public.items column extra: " + why));
    CHECK(copied(input, {all}).second.empty());
}

TEST_CASE("A temporary table is nobody else's business", "[storage]") {
    TableInput input = good_input();
    input.facts.persistence = 't';
    Catalogue catalogue;
    judge(input, "vee", catalogue);
    CHECK(catalogue.tables.empty());
    CHECK(catalogue.refused.empty());
}

TEST_CASE("A partitioned table is copied where the stream tells of every partition", "[storage]") {
    TableInput input = good_input();
    input.facts.kind = 'p';
    input.facts.has_children = true;
    input.facts.file = "tree 1234";
    CHECK(refusal(input).empty());
    Catalogue catalogue;
    judge(input, "vee", catalogue);
    CHECK(is_partitioned(catalogue.tables.front()));
    SECTION("an unlogged partition") {
        input.facts.odd_partition = OddPartition{"public.items_1", 'r', 'u', 'd'};
        CHECK(refused_for(input, "run: ALTER TABLE public.items_1 SET LOGGED;"));
    }
    SECTION("a foreign one") {
        input.facts.odd_partition = OddPartition{"public.items_1", 'f', 'p', 'n'};
        CHECK(refused_for(input, "ALTER TABLE public.items DETACH PARTITION public.items_1;"));
    }
    SECTION("one with another replica identity") {
        input.facts.odd_partition = OddPartition{"public.items_1", 'r', 'p', 'i'};
        CHECK(refused_for(input, "run: ALTER TABLE public.items_1 REPLICA IDENTITY DEFAULT;"));
    }
    SECTION("another replica identity of its own") {
        input.facts.replica_identity = 'i';
        CHECK(refused_for(input, "run: ALTER TABLE public.items REPLICA IDENTITY DEFAULT;"));
    }
}
