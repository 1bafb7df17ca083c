#include "storage/verify/key_range.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>

using namespace veer::storage;
using namespace veer::storage::verify;

namespace {

using Texts = std::vector<std::string>;

const SendFunctions send{{25, "textsend"}};

Column column(const char* name, std::uint32_t type, std::int16_t length) {
    Column made;
    made.name = name;
    made.type_oid = type;
    made.type_length = length;
    return made;
}

/// With these columns as its key.
Table table_of(std::vector<Column> columns) {
    Table table;
    table.columns = std::move(columns);
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        table.key.push_back(i);
    }
    return table;
}

std::string int4(std::int32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) {
        bytes.push_back(
            static_cast<char>(static_cast<std::uint32_t>(value) >> static_cast<unsigned>(shift))
        );
    }
    return bytes;
}

RowKey key(std::initializer_list<std::string> columns) {
    RowKey made;
    for (const std::string& bytes : columns) {
        append_key_column(made, bytes);
    }
    return made;
}

}  // namespace

TEST_CASE("A range of integers is one condition where the sign is one", "[storage]") {
    const Table table = table_of({column("id", 23, 4)});
    CHECK(
        conditions(table, send, {key({int4(5)}), key({int4(900)})}) ==
        Texts{R"("id" >= '0' AND "id" > '5' AND "id" <= '900')"}
    );
    CHECK(
        conditions(table, send, {key({int4(-900)}), key({int4(-5)})}) ==
        Texts{R"("id" < '0' AND "id" > '-900' AND "id" <= '-5')"}
    );
    CHECK(conditions(table, send, {}) == Texts{"true"});
}

TEST_CASE("Negative integers come behind the others, as in the store", "[storage]") {
    const Table table = table_of({column("id", 23, 4)});
    CHECK(
        conditions(table, send, {key({int4(5)}), key({int4(-7)})}) ==
        Texts{R"("id" >= '0' AND "id" > '5')", R"("id" < '0' AND "id" <= '-7')"}
    );
    CHECK(
        conditions(table, send, {std::nullopt, key({int4(-7)})}) ==
        Texts{R"("id" >= '0')", R"("id" < '0' AND "id" <= '-7')"}
    );
    CHECK(
        conditions(table, send, {key({int4(5)}), std::nullopt}) ==
        Texts{R"("id" >= '0' AND "id" > '5')", R"("id" < '0')"}
    );
}

TEST_CASE(
    "Times before 2000 come behind the others, whatever the session's settings", "[storage]"
) {
    const Table dates = table_of({column("day", 1082, 4)});
    CHECK(
        conditions(dates, send, {key({int4(59)}), key({int4(-1)})}) ==
        Texts{
            R"("day" >= '2000-01-01' AND "day" > '2000-02-29')",
            R"("day" < '2000-01-01' AND "day" <= '1999-12-31')"}
    );
    const Table moments = table_of({column("at", 1184, 8)});
    CHECK(
        conditions(moments, send, {std::nullopt, key({int4(0) + int4(5)})}) ==
        Texts{
            R"("at" >= '2000-01-01 00:00:00.000000+00' AND "at" <= '2000-01-01 00:00:00.000005+00')"}
    );
    CHECK(
        key_condition(dates, send, key({int4(std::numeric_limits<std::int32_t>::max())})) ==
        R"("day" = 'infinity')"
    );
    CHECK(key_is_ordered(moments));
}

TEST_CASE(
    "A range over two columns has what follows, what lies between, what precedes", "[storage]"
) {
    const Table table = table_of({column("a", 23, 4), column("b", 2950, 16)});
    const std::string low(16, '\x11');
    const std::string high(16, '\x22');
    const std::string eleven = "'11111111-1111-1111-1111-111111111111'";
    const std::string two = "'22222222-2222-2222-2222-222222222222'";
    CHECK(
        conditions(table, send, {key({int4(1), low}), key({int4(1), high})}) ==
        Texts{R"("a" >= '0' AND "a" = '1' AND "b" > )" + eleven + R"( AND "b" <= )" + two}
    );
    CHECK(
        conditions(table, send, {key({int4(1), low}), key({int4(4), high})}) ==
        Texts{
            R"("a" >= '0' AND "a" = '1' AND "b" > )" + eleven,
            R"("a" >= '0' AND "a" > '1' AND "a" < '4')",
            R"("a" >= '0' AND "a" = '4' AND "b" <= )" + two}
    );
}

TEST_CASE("Text is in the order of its length, then of its bytes", "[storage]") {
    const Table table = table_of({column("na\"me", 25, -1)});
    CHECK(
        conditions(table, send, {key({"ab"}), key({"xyz"})}) ==
        Texts{
            R"(pg_catalog.octet_length(textsend("na""me")) = 2 AND textsend("na""me") > '\x6162'::pg_catalog.bytea)",
            R"(pg_catalog.octet_length(textsend("na""me")) > 2 AND pg_catalog.octet_length(textsend("na""me")) < 3)",
            R"(pg_catalog.octet_length(textsend("na""me")) = 3 AND textsend("na""me") <= '\x78797a'::pg_catalog.bytea)"}
    );
    CHECK_FALSE(key_is_ordered(table));
    CHECK(key_is_ordered(table_of({column("id", 20, 8)})));
}

TEST_CASE("A key is one row's", "[storage]") {
    CHECK(
        key_condition(table_of({column("id", 23, 4)}), send, key({int4(-3)})) == R"("id" = '-3')"
    );
    // What bytes of a client hold cannot leave its literal.
    CHECK(
        key_condition(table_of({column("t", 25, -1)}), send, key({"';"})) ==
        R"("t" = pg_catalog.convert_from('\x273b'::pg_catalog.bytea, 'UTF8') AND textsend("t") = '\x273b'::pg_catalog.bytea)"
    );
}
