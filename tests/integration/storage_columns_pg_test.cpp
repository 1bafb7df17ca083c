#include "index/replica.hpp"
#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <limits>

using namespace veer;
using namespace veer::tests;
using storage::ColumnChoice;
using storage::sync::Syncer;

namespace {

/// The columns of `items` that are copied, in their order, and how Postgres sends each.
const std::vector<std::pair<std::string, std::string>> copied{
    {"id", "int8send"},
    {"b", "boolsend"},
    {"i2", "int2send"},
    {"i4", "int4send"},
    {"i8", "int8send"},
    {"f4", "float4send"},
    {"f8", "float8send"},
    {"d", "date_send"},
    {"t", "timestamp_send"},
    {"tz", "timestamptz_send"},
    {"u", "uuid_send"},
    {"note", "textsend"},
    {"name", "varcharsend"}};

void create_items(const PostgresServer& server) {
    server.exec(
        "CREATE TABLE items (id bigint PRIMARY KEY, b boolean, i2 smallint, i4 integer, i8 bigint,"
        " f4 real, f8 double precision, d date, t timestamp, tz timestamptz, u uuid, note text,"
        " name varchar(20), price numeric, twice int GENERATED ALWAYS AS (i4 / 2) STORED,"
        " emb vector(768));"
        "ALTER TABLE items ALTER note SET STORAGE EXTERNAL, ALTER emb SET STORAGE EXTERNAL;"
        "CREATE INDEX ON items USING hnsw (emb vector_l2_ops);"
        "INSERT INTO items (id, b, i2, i4, i8, f4, f8, d, t, tz, u, note, name, price, emb)"
        " SELECT i, i % 2 = 0, i, i % 10, i, i / 3.0, i / 7.0,"
        " '2020-01-01'::date + i, '2020-01-01'::timestamp + i * interval '1 hour', now(),"
        " md5(i::text)::uuid, repeat('long ' || i, 500), 'name ' || i % 5, i,"
        " (SELECT array_agg(sin(i * j)::float4)::vector FROM generate_series(1, 768) j)"
        " FROM generate_series(1, 60) i;"
        "INSERT INTO items VALUES"
        " (101, true, -32768, -2147483648, -9223372036854775808, '-infinity', '-infinity',"
        "  '-infinity', '-infinity', '-infinity', '00000000-0000-0000-0000-000000000000', '', '',"
        "  0, DEFAULT, array_fill(1, ARRAY[768])::vector),"
        " (102, false, 32767, 2147483647, 9223372036854775807, 'NaN', 'NaN', 'infinity',"
        "  'infinity', 'infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff', U&'\\00E4\\4E2D', 'x',"
        "  0, DEFAULT, array_fill(2, ARRAY[768])::vector),"
        " (103, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
        "  DEFAULT, array_fill(3, ARRAY[768])::vector)"
    );
}

storage::sync::SyncOptions with_columns(
    const PostgresServer& server, const std::vector<std::string>& names
) {
    storage::sync::SyncOptions options = tests::options(server);
    options.columns.tables = {{"public", "items", {ColumnChoice::Kind::automatic, names}}};
    return options;
}

std::string from_hex(const std::string& hex) {
    std::string bytes;
    for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
        bytes.push_back(static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16)));
    }
    return bytes;
}

/// The copied columns as Postgres has them and sends them.
TableValues values_in_postgres(
    const PostgresServer& server, const std::vector<std::pair<std::string, std::string>>& columns
) {
    std::string sql = "SELECT encode(int8send(id), 'hex')";
    for (const auto& [name, send] : columns) {
        sql.append(", encode(").append(send).append("(").append(name).append("), 'hex')");
    }
    TableValues values;
    for (const auto& fields : server.query(sql + " FROM items")) {
        storage::RowKey key;
        storage::append_key_column(key, from_hex(fields.front()));
        for (std::size_t field = 1; field < fields.size(); ++field) {
            values[key].push_back(
                fields[field] == "\\N" ? storage::ColumnValue{storage::NullValue{}}
                                       : storage::ColumnValue{from_hex(fields[field])}
            );
        }
    }
    return values;
}

bool same_values(const PostgresServer& server, const RecordingObserver& observer) {
    return caught_up(server, observer) &&
           observer.table_values("items") == values_in_postgres(server, copied);
}

/// Ids in the order of the answer.
std::vector<std::int64_t> nearest(const index::Replica& replica, const index::Filter& filter) {
    const std::vector<float> query(768, 1.5F);
    std::vector<std::int64_t> ids;
    const auto generation = replica.generation();
    const auto hits = generation->columns.at(0).index->search(
        {.query = query, .k = 1000, .ef = 40, .filter = &filter}
    );
    for (const index::Hit& hit : hits.value()) {
        std::uint64_t id = 0;
        const std::string_view key = storage::key_columns(hit.key).at(0);
        for (const char byte : key) {
            id = id << 8U | static_cast<unsigned char>(byte);
        }
        ids.push_back(static_cast<std::int64_t>(id));
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

std::vector<std::int64_t> in_postgres(const PostgresServer& server, const std::string& condition) {
    std::vector<std::int64_t> ids;
    for (const auto& row : server.query(
             "SELECT id FROM items WHERE emb IS NOT NULL AND (" + condition + ") ORDER BY id"
         )) {
        ids.push_back(std::stoll(row.front()));
    }
    return ids;
}

/// In every way that a row can change.
void change_items(const PostgresServer& server) {
    server.exec("UPDATE items SET i4 = i4 / 2 + 1 WHERE id % 3 = 0");  // note and emb unchanged
    server.exec("UPDATE items SET note = note || ' and more' WHERE id % 4 = 0");
    server.exec("UPDATE items SET emb = array_fill(9, ARRAY[768])::vector WHERE id % 5 = 0");
    server.exec("UPDATE items SET note = NULL, u = NULL, f8 = 'NaN' WHERE id % 7 = 0");
    server.exec("UPDATE items SET id = -id, b = NOT b WHERE id % 11 = 0");
    server.exec("UPDATE items SET price = 5, emb = NULL WHERE id % 13 = 0");
    server.exec(
        "BEGIN; DELETE FROM items WHERE id = 8; INSERT INTO items (id, note) VALUES (8, 'x');"
        "UPDATE items SET i2 = 5 WHERE id = 8; COMMIT"
    );
}

bool says_what_it_leaves_out(const RecordingObserver& observer) {
    return wait_until([&] {
        return observer.told("public.items column price: columns of type numeric") &&
               observer.told("public.items column twice: generated") &&
               observer.told("public.items column nowhere: there is no such column");
    });
}

}  // namespace

TEST_CASE(
    "Copied columns are those of Postgres, whatever changes, and after a restart", "[storage]"
) {
    const PostgresServer server;
    create_items(server);
    const auto sync_options = with_columns(server, {"note", "name", "price", "twice", "nowhere"});
    {
        RecordingObserver observer;
        Syncer syncer{sync_options, observer};
        syncer.start();
        REQUIRE(same_values(server, observer));
        CHECK(says_what_it_leaves_out(observer));
        change_items(server);
        REQUIRE(same_values(server, observer));
        CHECK(observer.copies() == 1);
        CHECK(observer.violations() == std::vector<std::string>{});
    }
    RecordingObserver again;
    Syncer syncer{sync_options, again};
    syncer.start();
    REQUIRE(same_values(server, again));
    CHECK(again.copies() == 0);
    server.exec("UPDATE items SET i8 = 7 WHERE id = 1; DELETE FROM items WHERE id = 2");
    REQUIRE(same_values(server, again));
    syncer.stop();
    CHECK(rows_in_store(store_directory(server), "items") == again.table_rows("items"));
}

TEST_CASE("A copied column that becomes another one is copied again", "[storage]") {
    const PostgresServer server;
    create_items(server);
    RecordingObserver observer;
    Syncer syncer{with_columns(server, {"note", "name"}), observer};
    syncer.start();
    REQUIRE(same_values(server, observer));
    auto columns = copied;
    SECTION("dropped") {
        server.exec("ALTER TABLE items DROP i2");
        columns.erase(columns.begin() + 2);
    }
    SECTION("of another type") {
        server.exec("ALTER TABLE items ALTER i2 TYPE int");
        columns[2].second = "int4send";
    }
    SECTION("with other values") {
        server.exec("ALTER TABLE items ALTER i8 TYPE bigint USING i8 / 2");
    }
    REQUIRE(wait_until([&] { return observer.copies() == 2; }));
    server.exec("UPDATE items SET i4 = 17 WHERE id = 3");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_values("items") == values_in_postgres(server, columns));
    CHECK(observer.violations() == std::vector<std::string>{});
}

TEST_CASE("A column that is added is copied when it is named, and not before", "[storage]") {
    const PostgresServer server;
    create_items(server);
    {
        RecordingObserver observer;
        Syncer syncer{with_columns(server, {"note", "name"}), observer};
        syncer.start();
        REQUIRE(same_values(server, observer));
        server.exec("ALTER TABLE items ADD extra real DEFAULT 1.5");
        server.exec("UPDATE items SET i4 = 17, extra = 2.5 WHERE id = 3");
        REQUIRE(wait_until([&] { return observer.tables().front().columns.back().name == "extra"; })
        );
        REQUIRE(same_values(server, observer));
        CHECK(observer.copies() == 1);
    }
    for (const int copies : {0, 1}) {
        std::vector<std::string> names{"note", "name"};
        names.insert(names.end(), static_cast<std::size_t>(copies), "extra");
        RecordingObserver observer;
        Syncer syncer{with_columns(server, names), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
        CHECK(observer.copies() == copies);
        auto columns = copied;
        columns.insert(columns.end(), static_cast<std::size_t>(copies), {"extra", "float4send"});
        CHECK(observer.table_values("items") == values_in_postgres(server, columns));
    }
}

TEST_CASE("Another choice of columns is another copy", "[storage]") {
    const PostgresServer server;
    create_items(server);
    for (const auto& names : std::vector<std::vector<std::string>>{{}, {"note"}}) {
        RecordingObserver observer;
        Syncer syncer{with_columns(server, names), observer};
        syncer.start();
        REQUIRE(caught_up(server, observer));
        CHECK(observer.copies() == 1);
        CHECK(observer.table_values("items").begin()->second.size() == 11 + names.size());
    }
}

TEST_CASE("A filter in the index says what WHERE says in Postgres", "[storage]") {
    const PostgresServer server;
    create_items(server);
    index::Replica replica{1};
    Syncer syncer{with_columns(server, {"note", "name"}), replica};
    syncer.start();
    const auto reached = [&] {
        const auto lsn = storage::normalise_insert_lsn(
            storage::parse_lsn(server.value("SELECT pg_current_wal_insert_lsn()")), 8192, 16U << 20U
        );
        return wait_until([&] {
            const auto generation = replica.generation();
            return !generation->columns.empty() && generation->columns.front().live &&
                   replica.applied() >= lsn;
        });
    };
    using Filter = index::Filter;
    using Comparison = Filter::Comparison;
    const auto compare = [](std::size_t column, Comparison comparison, index::FilterValue value) {
        return Filter{
            .kind = Filter::Kind::compare,
            .comparison = comparison,
            .column = column,
            .values = {std::move(value)}};
    };
    const auto negation = [](Filter child) {
        return Filter{.kind = Filter::Kind::negation, .children = {std::move(child)}};
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::pair<Filter, std::string> conditions[] = {
        {compare(3, Comparison::equal, std::int64_t{4}), "i4 = 4"},
        {negation(compare(3, Comparison::equal, std::int64_t{4})), "NOT i4 = 4"},
        {compare(5, Comparison::less, 10.0), "f4 < 10"},
        {compare(6, Comparison::greater_or_equal, nan), "f8 >= 'NaN'"},
        {compare(6, Comparison::less, nan), "f8 < 'NaN'"},
        {compare(7, Comparison::greater, std::int64_t{7'320}), "d > '2000-01-01'::date + 7320"},
        {compare(8, Comparison::less, std::numeric_limits<std::int64_t>::max()), "t < 'infinity'"},
        {compare(1, Comparison::not_equal, true), "b <> true"},
        {compare(10, Comparison::greater, std::string(16, '\x80')),
         "u > '80808080-8080-8080-8080-808080808080'"},
        {compare(12, Comparison::equal, std::string{"name 3"}), "name = 'name 3'"},
        {compare(11, Comparison::not_equal, std::string{"\xC3\xA4\xE4\xB8\xAD"}),
         "note <> U&'\\00E4\\4E2D'"},
        {Filter{.kind = Filter::Kind::is_null, .column = 11}, "note IS NULL"},
        {negation(Filter{
             .kind = Filter::Kind::one_of,
             .null_listed = true,
             .column = 3,
             .values = {std::int64_t{1}}}),
         "i4 NOT IN (1, NULL)"},
        {Filter{
             .kind = Filter::Kind::one_of,
             .column = 2,
             .values = {std::int64_t{5}, std::int64_t{-32'768}}},
         "i2 IN (5, -32768)"},
    };
    const auto check = [&] {
        REQUIRE(reached());
        for (const auto& [filter, condition] : conditions) {
            INFO(condition);
            CHECK(nearest(replica, filter) == in_postgres(server, condition));
        }
    };
    check();
    server.exec("UPDATE items SET i4 = 4, name = 'name 3' WHERE id % 6 = 0");
    server.exec("UPDATE items SET f8 = 'NaN', note = NULL WHERE id % 9 = 0");
    server.exec("DELETE FROM items WHERE id % 10 = 0; INSERT INTO items (id, i4) VALUES (900, 4)");
    check();
}
