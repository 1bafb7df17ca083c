#include "storage/table.hpp"

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
