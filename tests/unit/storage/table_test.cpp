#include "storage/table.hpp"

#include "storage/partitions.hpp"
#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using veer::tests::sample_table;

namespace {

Table fingerprinted(const std::string& fingerprint) {
    Table table = sample_table();
    table.fingerprint = fingerprint;
    return table;
}

}  // namespace

TEST_CASE("Values are the same unless columns and file are both new", "[storage]") {
    const std::string copied = "700,701,|555|1 20 -1 id,4 16385 2 emb,";
    CHECK(same_values(copied, copied));
    CHECK(same_values(copied, "700,800,|555|1 20 -1 id,4 16385 2 emb,"));  // GRANT SELECT (emb)
    CHECK(same_values(copied, "700,701,|666|1 20 -1 id,4 16385 2 emb,"));  // VACUUM FULL
    CHECK_FALSE(same_values(copied, "700,800,|666|1 20 -1 id,4 16385 2 emb,"));  // USING emb + emb
    CHECK_FALSE(same_values(copied, "700,701,|555|1 20 -1 id,4 16385 3 emb,"));
    CHECK_FALSE(same_values(copied, "700,701,|555|1 20 -1 id,5 16385 2 emb,"));
    CHECK_FALSE(same_values(copied, "700,701,"));
    CHECK_FALSE(same_values("700,701,", "700,702,"));
    CHECK_FALSE(same_values("", copied));
}

TEST_CASE("Other partitions, or other files of theirs, are other values", "[storage]") {
    const std::string copied = "700,701,|tree 12ab|1 20 -1 id,4 16385 2 emb,";
    CHECK(same_values(copied, "700,800,|tree 12ab|1 20 -1 id,4 16385 2 emb,"));  // GRANT
    CHECK_FALSE(same_values(copied, "700,701,|tree 34cd|1 20 -1 id,4 16385 2 emb,"));
    CHECK_FALSE(same_values(copied, "700,701,|555|1 20 -1 id,4 16385 2 emb,"));
    CHECK_FALSE(same_values("700,701,|555|1 20 -1 id,4 16385 2 emb,", copied));
    CHECK(is_partitioned(fingerprinted(copied)));
    CHECK(only(fingerprinted(copied)).empty());
    CHECK_FALSE(is_partitioned(fingerprinted("700,701,|555|1 20 -1 id,")));
    CHECK(only(fingerprinted("700,701,|555|1 20 -1 id,")) == "ONLY ");
}

TEST_CASE("Partitions that do not matter are taken over, and nothing else", "[storage]") {
    Table copy;
    copy.fingerprint = "700,701,|tree 12ab|1 20 -1 id,4 16385 2 emb,";
    copy.copied_fingerprint = "700,|tree 12ab|1 20 -1 id,";
    Table now = copy;
    now.name = "renamed";
    now.fingerprint = "800,701,|tree 34cd|1 20 -1 id,4 16385 3 emb,";
    now.copied_fingerprint = "700,|tree 34cd|1 20 -1 id,";
    const Table taken = with_partitions_of(copy, now);
    CHECK(taken.name.empty());
    CHECK(taken.fingerprint == "700,701,|tree 34cd|1 20 -1 id,4 16385 2 emb,");
    CHECK(taken.copied_fingerprint == "700,|tree 34cd|1 20 -1 id,");
    now.fingerprint = "700,701,|16390|1 20 -1 id,4 16385 2 emb,";
    CHECK(with_partitions_of(copy, now).fingerprint == copy.fingerprint);
}

TEST_CASE("What is not key or vector does not change the rows", "[storage]") {
    Table table = sample_table();
    SECTION("another column in front of the vectors") {
        table.columns.insert(table.columns.begin() + 1, {"added", 6, 25, -1, -1, false});
        table.vectors = {3, 4};
    }
    SECTION("a column dropped") {
        table.columns.erase(table.columns.begin() + 1);
        table.vectors = {1, 2};
    }
    SECTION("other names of table and schema") {
        table.schema = "elsewhere";
        table.name = "things";
    }
    SECTION("NOT NULL") {
        table.columns[2].not_null = true;
    }
    CHECK(table.same_rows(sample_table()));
    CHECK_FALSE(table.same_shape(sample_table()));
}

TEST_CASE("What is key, vector or index makes other rows", "[storage]") {
    Table table = sample_table();
    SECTION("another table of the same shape") {
        table.oid = {101};
    }
    SECTION("dimensions") {
        table.columns[2].typmod = 3;
    }
    SECTION("a vector column renamed") {
        table.columns[2].name = "vec";
    }
    SECTION("one vector less") {
        table.vectors = {2};
    }
    SECTION("another key") {
        table.key = {1};
    }
    SECTION("an index less") {
        table.indexes.pop_back();
    }
    SECTION("another choice of columns") {
        table.copied = {0};
    }
    SECTION("copied values rewritten") {
        table.copied_fingerprint = "900,";
    }
    SECTION("values rewritten") {
        table.fingerprint = "800,";
    }
    CHECK_FALSE(table.same_rows(sample_table()));
    CHECK_FALSE(fingerprinted("1,|1|x").same_rows(fingerprinted("2,|2|x")));
}

TEST_CASE("A column that is added is not another copy, unless it is wanted by name", "[storage]") {
    Table copy = sample_table();
    copy.copied = {0};
    copy.copied_fingerprint = "700,|555|1 20 -1 id,";
    copy.chosen_from = 5;
    Table found = copy;
    found.columns.push_back({"added, later", 9, 23, -1, -1, false});
    found.copied = {0, found.columns.size() - 1};
    found.copied_fingerprint = "700,900,|555|1 20 -1 id,9 23 -1 added, later,";
    found.chosen_from = 9;
    CHECK_FALSE(copy.same_rows(found));
    SECTION("added") {
        const Table now = as_copied(found, copy);
        CHECK(copy.same_rows(now));
        CHECK(now.copied_fingerprint == copy.copied_fingerprint);
        CHECK(now.columns == found.columns);
        CHECK(copy.same_rows(as_copied(found, now)));  // the next look, too
    }
    SECTION("named") {
        found.named = {9};
        CHECK_FALSE(copy.same_rows(as_copied(found, copy)));
    }
    SECTION("there before, and chosen now") {
        copy.chosen_from = 9;
        CHECK_FALSE(copy.same_rows(as_copied(found, copy)));
    }
    SECTION("added, and the others rewritten") {
        found.copied_fingerprint = "901,900,|666|1 20 -1 id,9 23 -1 added, later,";
        CHECK_FALSE(copy.same_rows(as_copied(found, copy)));
    }
    SECTION("added, and another type") {
        found.copied_fingerprint = "700,900,|555|1 23 -1 id,9 23 -1 added, later,";
        CHECK_FALSE(copy.same_rows(as_copied(found, copy)));
    }
}

TEST_CASE("An index made with other parameters is another one", "[storage]") {
    Table table = sample_table();
    table.indexes.resize(1);
    Table other = table;
    other.indexes.front().m = 24;
    SECTION("of pgvector's") {
        CHECK_FALSE(table.same_rows(other));
    }
    SECTION("declared") {
        table.indexes.front().name = other.indexes.front().name = "";
        other.indexes.front().states_parameters = true;
        CHECK_FALSE(table.same_rows(other));
        other.indexes.front().m = table.indexes.front().m;
        CHECK(table.same_rows(other));
        other.indexes.front().ef_construction = 200;
        CHECK_FALSE(table.same_rows(other));
    }
    SECTION("but nobody has said with which parameters a route's is made") {
        table.indexes.front().name = other.indexes.front().name = "";
        CHECK(table.same_rows(other));
    }
    SECTION("but that pgvector has what is declared changes nothing") {
        other.indexes.front().name = "";
        CHECK(table.same_rows(other));
    }
}
