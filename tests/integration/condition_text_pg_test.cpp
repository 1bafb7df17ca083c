#include "index/replica.hpp"
#include "proxy/candidate/condition_text.hpp"
#include "router/column_value.hpp"
#include "router/row_filter.hpp"
#include "storage/row.hpp"
#include "storage/sync/syncer.hpp"
#include "tests/support/postgres_server.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <filesystem>
#include <set>

// A condition as comparisons put it to Postgres lets the same rows through as the index does.

namespace veer::tests {

namespace {

using index::Filter;
using Comparison = Filter::Comparison;
using storage::ColumnType;

constexpr const char* tables = R"(
    SET TimeZone = 'UTC';
    CREATE TABLE things (id bigint PRIMARY KEY, yes bool, small int2, number int, big int8, day date,
        at timestamp, zoned timestamptz, uid uuid, "a ""name""" text, e vector(3));
    INSERT INTO things SELECT i, i % 2 = 0, i % 5, i % 50, i * 10000000000,
        '1999-12-20'::date + i::int, '1999-12-20'::timestamp + i * interval '1 hour 1.000001 seconds',
        '1999-12-20'::timestamptz + i * interval '1 hour 0.5 seconds', md5((i % 9)::text)::uuid,
        CASE i % 4 WHEN 0 THEN 'it''s \' WHEN 1 THEN 'é' WHEN 2 THEN '' ELSE 'a' END,
        ARRAY[i, 0, 0]::vector FROM generate_series(1, 300) i;
    UPDATE things SET yes = NULL, small = NULL, number = NULL, big = NULL, day = NULL, at = NULL,
        zoned = NULL, uid = NULL, "a ""name""" = NULL WHERE id % 7 = 0;
    CREATE INDEX ON things USING hnsw (e vector_l2_ops);
)";

std::filesystem::path fresh_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "veer-condition-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    return name;
}

struct Bench {
    Bench()
        : directory(fresh_directory()),
          syncer(
              {.dsn = dsn(),
               .directory = directory.string(),
               .columns = {.defaults = {.kind = storage::ColumnChoice::Kind::all}}},
              replica
          ) {
        syncer.start();
        REQUIRE(wait_until([this] {
            const auto generation = replica.generation();
            return !generation->columns.empty() && generation->columns.front().live;
        }));
        column = {replica.generation(), &replica.generation()->columns.front()};
    }

    ~Bench() {
        syncer.stop();
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    std::string dsn() const {
        postgres.exec(tables);
        return postgres.dsn();
    }

    Filter compare(
        const std::string& name, Comparison comparison, ColumnType type, std::string_view value
    ) const {
        return {
            .kind = Filter::Kind::compare,
            .comparison = comparison,
            .column = position(name),
            .values = {value_of(type, value)}};
    }

    static index::FilterValue value_of(ColumnType type, std::string_view text) {
        const auto value = router::parse_value(type, text);
        REQUIRE(value.has_value());
        return *value;
    }

    std::size_t position(const std::string& name) const {
        const auto found = router::copied_position(column->table, name);
        REQUIRE(found.has_value());
        return *found;
    }

    std::set<std::string> by_index(const Filter& filter) const {
        constexpr std::size_t all = 1000;
        const auto found = column->index->search_exact(
            {.query = std::vector<float>{0, 0, 0}, .k = all, .filter = &filter}
        );
        REQUIRE(found.has_value());
        std::set<std::string> ids;
        for (const index::Hit& row : *found) {
            std::uint64_t id = 0;
            const std::string_view key = storage::key_columns(row.key).front();
            for (const char byte : key) {
                id = (id << 8U) | static_cast<std::uint8_t>(byte);
            }
            ids.insert(std::to_string(id));
        }
        return ids;
    }

    std::set<std::string> by_postgres(const std::string& condition) const {
        std::set<std::string> ids;
        PostgresClient session(postgres.dsn());
        session.exec("SET search_path = ''; SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'"
        );
        for (const auto& row :
             session.query("SELECT id FROM public.things AS t WHERE " + condition)) {
            ids.insert(row.front());
        }
        return ids;
    }

    /// How many rows both let through.
    std::size_t same(const Filter& filter) const {
        const auto text = proxy::candidate::condition_text(filter, column->table, "t");
        REQUIRE(text.has_value());
        INFO(*text);
        const std::set<std::string> rows = by_index(filter);
        CHECK(rows == by_postgres(*text));
        return rows.size();
    }

    PostgresServer postgres;
    std::filesystem::path directory;
    index::Replica replica{1};
    storage::sync::Syncer syncer;
    std::shared_ptr<const index::IndexedColumn> column;
};

}  // namespace

TEST_CASE("a condition means the same to the index and to Postgres", "[integration]") {
    const Bench bench;
    const Filter yes = bench.compare("yes", Comparison::equal, ColumnType::boolean, "t");
    CHECK(bench.same(yes) > 0);
    CHECK(bench.same(bench.compare("small", Comparison::less, ColumnType::int8, "3")) > 0);
    CHECK(bench.same(bench.compare("small", Comparison::less, ColumnType::int8, "70000")) > 200);
    CHECK(bench.same(bench.compare("number", Comparison::not_equal, ColumnType::int4, "-4")) > 200);
    CHECK(
        bench.same(bench.compare("big", Comparison::greater, ColumnType::int8, "99999999999")) > 0
    );
    CHECK(
        bench.same(bench.compare("day", Comparison::less_or_equal, ColumnType::date, "2000-02-29")
        ) > 0
    );
    CHECK(bench.same(bench.compare("day", Comparison::equal, ColumnType::date, "1999-12-31")) == 1);
    CHECK(
        bench.same(bench.compare("day", Comparison::greater, ColumnType::date, "0001-01-01")) > 200
    );
    CHECK(bench.same(bench.compare("day", Comparison::less, ColumnType::date, "9999-12-31")) > 200);
    CHECK(
        bench.same(bench.compare(
            "at", Comparison::equal, ColumnType::timestamp, "1999-12-20 01:00:01.000001"
        )) == 1
    );
    CHECK(
        bench.same(bench.compare(
            "zoned",
            Comparison::greater_or_equal,
            ColumnType::timestamptz,
            "1999-12-25 02:00:00.5+02"
        )) > 0
    );
    const std::string uid = bench.postgres.value("SELECT uid FROM things WHERE id = 3");
    CHECK(bench.same(bench.compare("uid", Comparison::equal, ColumnType::uuid, uid)) > 10);
    const std::string text = "a \"name\"";
    CHECK(bench.same(bench.compare(text, Comparison::equal, ColumnType::text, "it's \\")) > 10);
    CHECK(bench.same(bench.compare(text, Comparison::equal, ColumnType::text, "")) > 10);
    CHECK(bench.same(bench.compare(text, Comparison::not_equal, ColumnType::text, "é")) > 10);

    Filter listed{.kind = Filter::Kind::one_of, .column = bench.position("number")};
    listed.values = {std::int64_t{3}, std::int64_t{4}, std::int64_t{5'000'000'000}};
    CHECK(bench.same(listed) > 5);
    listed.null_listed = true;
    CHECK(bench.same(listed) > 5);
    CHECK(bench.same({.kind = Filter::Kind::negation, .children = {listed}}) == 0);
    const Filter null{.kind = Filter::Kind::is_null, .column = bench.position("uid")};
    CHECK(bench.same(null) == 42);
    const Filter not_yes{.kind = Filter::Kind::negation, .children = {yes}};
    CHECK(bench.same({.kind = Filter::Kind::any_of, .children = {not_yes, null}}) > 100);
    CHECK(bench.same({.kind = Filter::Kind::all_of, .children = {yes, listed}}) > 0);
    CHECK(bench.same({.kind = Filter::Kind::any_of}) == 0);
    CHECK(bench.same({.kind = Filter::Kind::all_of}) == 300);
    CHECK(bench.same({.kind = Filter::Kind::unknown}) == 0);
}

TEST_CASE("what has no form that is sure is not put to Postgres", "[integration]") {
    storage::Table table;
    storage::Column day;
    day.name = "day";
    day.type_oid = 1082;
    table.columns = {day};
    table.copied = {0};
    for (const std::int64_t days : {-2'451'546, 2'147'483'494}) {  // beyond what dates there are
        Filter filter{.kind = Filter::Kind::compare, .values = {days}};
        CHECK_FALSE(proxy::candidate::condition_text(filter, table, "t").has_value());
        CHECK_FALSE(proxy::candidate::condition_text(
                        {.kind = Filter::Kind::any_of, .children = {filter}}, table, "t"
        )
                        .has_value());
    }
}

}  // namespace veer::tests
