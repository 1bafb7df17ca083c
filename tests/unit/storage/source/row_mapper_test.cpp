#include "storage/source/row_mapper.hpp"

#include "storage/byte_writer.hpp"
#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>

#include <bit>

using namespace veer::storage;
using namespace veer::storage::source;
using veer::tests::floats;
using veer::tests::key_of;
using veer::tests::row_of;
using veer::tests::sample_table;
using Kind = veer::storage::source::pgoutput::Field::Kind;

namespace {

/// What vector_send writes.
std::string sent(const std::vector<float>& values) {
    ByteWriter out;
    out.be16(static_cast<std::uint16_t>(values.size())).be16(0);
    for (const float value : values) {
        out.be32(std::bit_cast<std::uint32_t>(value));
    }
    return out.take();
}

/// The sample table's relation, its columns in another order.
pgoutput::Relation relation() {
    return {
        {100},
        "public",
        "items",
        'd',
        {{false, "emb2", 16385, 1},
         {true, "id", 20, -1},
         {false, "emb", 16385, 2},
         {false, "note", 25, -1}}};
}

const std::string id_bytes{"\0\0\0\0\0\0\0\7", 8};

}  // namespace

TEST_CASE("Columns are found by name, whatever their order", "[storage]") {
    const auto mapper = RowMapper::make(sample_table(), relation()).value();
    const std::string emb = sent({1, 2});
    const pgoutput::TupleData tuple{
        {Kind::null, {}}, {Kind::binary, id_bytes}, {Kind::binary, emb}, {Kind::text, "n"}};
    CHECK(mapper.row(tuple, nullptr).value() == row_of(7, floats({1, 2}), NullVector{}));
    CHECK(mapper.key(tuple).value() == key_of(7));
}

TEST_CASE("Unchanged values stay open, but for a key, which the old row has", "[storage]") {
    const auto mapper = RowMapper::make(sample_table(), relation()).value();
    const pgoutput::TupleData unchanged(4, {Kind::unchanged_toast, {}});
    const pgoutput::TupleData old{
        {Kind::null, {}}, {Kind::binary, id_bytes}, {Kind::null, {}}, {Kind::null, {}}};
    CHECK(mapper.row(unchanged, &old).value() == row_of(7, UnchangedVector{}, UnchangedVector{}));
    CHECK(mapper.row(unchanged, nullptr).has_error());
}

TEST_CASE("A column that is declared to hold vectors fails on no value", "[storage]") {
    Table table = sample_table();
    table.vectors = {2, 1};
    table.columns[1].form = VectorForm::text;
    table.columns[1].declared_dimensions = 2;
    const auto mapper = RowMapper::make(table, relation()).value();
    const auto note = [&](pgoutput::Field field) {
        const pgoutput::TupleData tuple{
            {Kind::null, {}}, {Kind::binary, id_bytes}, {Kind::null, {}}, field};
        return mapper.row(tuple, nullptr).value().vectors.back();
    };
    CHECK(
        note({Kind::binary, "[1,2]"}) ==
        VectorValue{ForeignVector{std::vector<float>{1, 2}, foreign_digest("[1,2]")}}
    );
    CHECK(
        note({Kind::binary, "none"}) ==
        VectorValue{ForeignVector{std::nullopt, foreign_digest("none")}}
    );
    CHECK(note({Kind::null, {}}) == VectorValue{NullVector{}});
    CHECK(note({Kind::unchanged_toast, {}}) == VectorValue{UnchangedVector{}});
    const auto copied = row_of_copy(table, {id_bytes, std::nullopt, "[1,2,3]"}).value();
    CHECK(vector_in(copied.vectors.back()) == nullptr);
}

TEST_CASE("A relation that is not what was copied is gone", "[storage]") {
    auto changed = relation();
    SECTION("other dimensions") {
        changed.columns[2].typmod = 3;
    }
    SECTION("another type") {
        changed.columns[2].type_oid = 1;
    }
    SECTION("no such column") {
        changed.columns[0].name = "renamed";
    }
    SECTION("the key is no replica identity any more") {
        changed.columns[1].key = false;
    }
    SECTION("the replica identity has more columns") {
        changed.columns[3].key = true;
    }
    const auto made = RowMapper::make(sample_table(), changed);
    REQUIRE(made.has_error());
    CHECK(made.error().code == Errc::gone);
}

TEST_CASE("A tuple that does not fit its relation is refused", "[storage]") {
    const auto mapper = RowMapper::make(sample_table(), relation()).value();
    pgoutput::TupleData tuple{
        {Kind::null, {}}, {Kind::binary, id_bytes}, {Kind::null, {}}, {Kind::null, {}}};
    SECTION("too short") {
        tuple.pop_back();
    }
    SECTION("empty") {
        tuple.clear();
    }
    SECTION("a key of NULL") {
        tuple[1] = {Kind::null, {}};
    }
    SECTION("a vector as text") {
        tuple[2] = {Kind::text, "[1,2]"};
    }
    SECTION("a vector of other dimensions") {
        tuple[0] = {Kind::binary, std::string_view{"\0\2\0\0aaaabbbb", 12}};
    }
    CHECK(mapper.row(tuple, nullptr).has_error());
}

namespace {

/// The sample table with id and note copied.
Table copied_table() {
    Table table = sample_table();
    table.copied = {0, 1};
    return table;
}

}  // namespace

TEST_CASE("Copied columns come as they were sent, or stay open", "[storage]") {
    const auto mapper = RowMapper::make(copied_table(), relation()).value();
    const std::string note = "n";
    pgoutput::TupleData tuple{
        {Kind::null, {}}, {Kind::binary, id_bytes}, {Kind::null, {}}, {Kind::binary, note}};
    using Values = std::vector<ColumnValue>;
    CHECK((mapper.row(tuple, nullptr).value().values == Values{id_bytes, note}));
    tuple[3] = {Kind::null, {}};
    CHECK((mapper.row(tuple, nullptr).value().values == Values{id_bytes, NullValue{}}));
    tuple[3] = {Kind::unchanged_toast, {}};
    CHECK((mapper.row(tuple, nullptr).value().values == Values{id_bytes, UnchangedValue{}}));
    const pgoutput::TupleData old = tuple;
    tuple[1] = {Kind::unchanged_toast, {}};
    CHECK((mapper.row(tuple, &old).value().values == Values{id_bytes, UnchangedValue{}}));
    tuple = old;
    tuple[3] = {Kind::text, note};
    CHECK(mapper.row(tuple, nullptr).error().code == Errc::gone);
}

TEST_CASE("A relation whose copied column is another one is gone", "[storage]") {
    auto changed = relation();
    SECTION("dropped") {
        changed.columns.pop_back();
    }
    SECTION("another type") {
        changed.columns[3].type_oid = 1043;
    }
    const auto made = RowMapper::make(copied_table(), changed);
    REQUIRE(made.has_error());
    CHECK(made.error().code == Errc::gone);
}

TEST_CASE("Copied columns come behind the vectors in the copy", "[storage]") {
    const Table table = copied_table();
    const auto row = row_of_copy(table, {id_bytes, std::nullopt, std::nullopt, id_bytes, "n"});
    CHECK((row.value().values == std::vector<ColumnValue>{id_bytes, std::string{"n"}}));
    CHECK(
        row_of_copy(table, {id_bytes, std::nullopt, std::nullopt, "1234", std::nullopt}).has_error()
    );
    CHECK(row_of_copy(table, {id_bytes, std::nullopt, std::nullopt, id_bytes}).has_error());
}

TEST_CASE("A row of the copy has the key first and then the vectors", "[storage]") {
    const std::string emb = sent({1, 2});
    CHECK(
        row_of_copy(sample_table(), {id_bytes, emb, std::nullopt}).value() ==
        row_of(7, floats({1, 2}), NullVector{})
    );
    CHECK(row_of_copy(sample_table(), {id_bytes, emb}).has_error());
    CHECK(row_of_copy(sample_table(), {std::nullopt, emb, std::nullopt}).has_error());
    CHECK(row_of_copy(sample_table(), {id_bytes, "x", std::nullopt}).has_error());
}
