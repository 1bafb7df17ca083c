#include "storage/store/encoding.hpp"

#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::store;
using veer::tests::floats;
using veer::tests::sample_table;

TEST_CASE("A row reads back as it was", "[storage]") {
    const Row row{
        "key",
        {floats({1.5F, -0.0F, 3e38F}), NullVector{}, floats({}), floats({7})},
        {NullValue{}, std::string("\0\1", 2), std::string{}}};
    const auto bytes = encode_row(row);
    REQUIRE(bytes.has_value());
    CHECK((decode_row("key", *bytes) == row));
    CHECK(bytes->substr(0, 9) == std::string("\x01\0\0\0\x03\0\0\xC0\x3F", 9));
    CHECK((decode_row("key", "") == Row{"key", {}, {}}));
}

TEST_CASE("A vector of another type reads back, with what it was read from", "[storage]") {
    const Row row{
        "key",
        {ForeignVector{std::vector<float>{1, 2}, "sixteen bytes..."},
         ForeignVector{std::nullopt, "another sixteen."},
         floats({3})},
        {NullValue{}}};
    const std::string bytes = encode_row(row).value();
    CHECK((decode_row("key", bytes) == row));
    const std::string foreign =
        encode_row({"key", {ForeignVector{std::vector<float>{1}, "digest"}}, {}}).value();
    for (std::size_t size = 1; size < foreign.size(); ++size) {
        CHECK_FALSE(decode_row("key", foreign.substr(0, size)).has_value());
    }
}

TEST_CASE("What is unchanged cannot be stored", "[storage]") {
    CHECK_FALSE(encode_row({"key", {UnchangedVector{}}, {}}).has_value());
    CHECK_FALSE(encode_row({"key", {}, {NullValue{}, UnchangedValue{}}}).has_value());
}

TEST_CASE("A damaged row is found at every byte", "[storage]") {
    const auto damaged = [](const std::string& bytes) {
        return !decode_row("key", bytes).has_value();
    };
    const std::string vector = encode_row({"key", {floats({1, 2})}, {}}).value();
    for (std::size_t size = 1; size < vector.size(); ++size) {
        CHECK(damaged(vector.substr(0, size)));
    }
    const std::string value = encode_row({"key", {}, {std::string{"abc"}}}).value();
    for (std::size_t size = 1; size < value.size(); ++size) {
        CHECK(damaged(value.substr(0, size)));
    }
    CHECK(damaged(value + vector));  // vectors come first
    CHECK(damaged("\x04"));
    CHECK(damaged(std::string("\x01\xFF\xFF\xFF\xFF", 5)));
    CHECK(damaged(std::string("\x01\x40\0\0\0", 5)));
}

TEST_CASE("The state reads back as it was", "[storage]") {
    SyncState state;
    state.system_id = "7123";
    state.database = "app";
    state.slot = "veer_1";
    state.publication = "veer_2";
    state.publication_fingerprint = "1:2:3:4;";
    state.phase = CopyPhase::streaming;
    state.tables = {sample_table(1), sample_table(2)};
    state.tables[1].copied = {0, 1};
    state.tables[1].columns[1].form = VectorForm::text;
    state.tables[1].columns[1].declared_dimensions = 2;
    state.tables[1].vectors.push_back(1);
    state.tables[1].indexes.push_back({"", "", 0, "<=>", 16502, 16, 64, true, 2, 16385});
    state.tables[0].indexes[1].partial = true;
    state.tables[1].copied_fingerprint = "1,|2|x";
    const Table first = state.tables[0];
    const Table second = state.tables[1];
    const std::string bytes = encode_state(state);
    const auto read = decode_state(bytes);
    REQUIRE(read.has_value());
    CHECK(read->system_id == "7123");
    CHECK(read->database == "app");
    CHECK(read->slot == "veer_1");
    CHECK(read->publication == "veer_2");
    CHECK(read->publication_fingerprint == "1:2:3:4;");
    CHECK(read->phase == CopyPhase::streaming);
    REQUIRE(read->tables.size() == 2);
    CHECK(read->tables[0].same_shape(first));
    CHECK(read->tables[1].same_shape(second));
    CHECK(read->tables[1].estimated_rows == 12);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_FALSE(decode_state(bytes.substr(0, size)).has_value());
    }
    CHECK_FALSE(decode_state(bytes + "x").has_value());
}

TEST_CASE("The history reads back as it was, and not from other bytes", "[storage]") {
    const History history{3, {{0x1234567890}, -5, 4'000'000'000}, {0x99}};
    const std::string bytes = encode_history(history);
    CHECK(decode_history(bytes) == history);
    CHECK_FALSE(decode_history(bytes.substr(1)).has_value());
    CHECK_FALSE(decode_history(bytes + "x").has_value());
}

TEST_CASE("A state whose positions lie outside of the table is refused", "[storage]") {
    SyncState state;
    state.tables = {sample_table()};
    SECTION("key") {
        state.tables[0].key = {4};
    }
    SECTION("vector") {
        state.tables[0].vectors = {2, 4};
    }
    SECTION("copied column") {
        state.tables[0].copied = {0, 4};
    }
    SECTION("index") {
        state.tables[0].indexes[0].vector = 2;
    }
    CHECK_FALSE(decode_state(encode_state(state)).has_value());
}

TEST_CASE("A prefix ends right before its successor", "[storage]") {
    CHECK(after_prefix("r") == "s");
    CHECK(after_prefix("r\xFF\xFF") == "s");
    CHECK(row_key({255}, "k") < after_prefix(row_prefix({255})));
    CHECK(row_key({256}, "") >= after_prefix(row_prefix({255})));
}

TEST_CASE("Vectors of every kind read back as they were", "[storage]") {
    const std::vector<VectorValue> vectors{
        BitVector{65, {~std::uint64_t{0}, 0x80}},
        SparseVector{1'000'000'000, {0, 999'999'999}, {1.5F, -2}},
        SparseVector{5, {}, {}}};
    const std::string bytes = encode_row({"", vectors}).value();
    CHECK((decode_row("", bytes).value().vectors == vectors));
    const std::string one = encode_row({"", {vectors.front()}}).value();
    for (std::size_t size = 1; size < one.size(); ++size) {
        CHECK_FALSE(decode_row("", one.substr(0, size)).has_value());
    }
    CHECK_FALSE(decode_row("", std::string("\x05\0\0\0\x05\xFF\xFF\xFF\xFF", 9)).has_value());
    CHECK_FALSE(decode_row("", "\x06").has_value());
}

TEST_CASE("The kind of a column is part of the state", "[storage]") {
    SyncState state;
    state.tables = {sample_table()};
    state.tables[0].columns[2].kind = VectorKind::halfvec;
    const auto read = decode_state(encode_state(state));
    REQUIRE(read.has_value());
    CHECK(read->tables[0].columns[2].kind == VectorKind::halfvec);
    CHECK_FALSE(read->tables[0].same_rows(sample_table()));
}
