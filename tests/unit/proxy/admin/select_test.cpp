#include "proxy/admin/evaluate.hpp"
#include "proxy/admin/relation.hpp"
#include "proxy/admin/statement.hpp"
#include "tests/unit/proxy/admin/sample_snapshot.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace veer::proxy::admin;

namespace {

const Asker asker{.user = "alice", .database = "veer", .server_version = "15.0 (veer 1.2.3)"};

/// The rows as "a|b", one a line; NULL as ~; a failure as its SQLSTATE.
std::string rows_of(std::string_view text, const std::vector<Value>& parameters = {}) {
    const auto statement = read_statement(text, asker);
    if (statement.has_error()) {
        return statement.error().sqlstate;
    }
    const auto* const select = std::get_if<Select>(&statement->what);
    if (select == nullptr) {
        return "no select";
    }
    const auto rows = evaluate(*select, sample_snapshot(), parameters);
    if (rows.has_error()) {
        return rows.error().sqlstate;
    }
    std::string text_of_rows;
    for (const Row& row : *rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text_of_rows += (i == 0 ? "" : "|") + (is_null(row[i]) ? "~" : to_text(row[i]));
        }
        text_of_rows += '\n';
    }
    return text_of_rows;
}

std::vector<std::string> names_of(std::string_view text) {
    std::vector<std::string> names;
    for (const Column& column : columns_of(*read_statement(text, asker), asker)) {
        names.push_back(column.name);
    }
    return names;
}

}  // namespace

TEST_CASE("golden sets are shown, and what is not known of them is NULL") {
    CHECK(
        rows_of("select queries, exact_fresh, recall, recall_at_most from golden") ==
        "200|190|0.99|0.995\n0|0|~|~\n"
    );
}

TEST_CASE("every table has the columns that operators are promised") {
    // What a table is called by, and what it has to tell, whatever else it tells.
    const std::vector<std::pair<std::string, std::vector<std::string>>> promised{
        {"routes", {"route",     "database",     "relation",      "column", "op",
                    "state",     "desired_pct",  "effective_pct", "why",    "version",
                    "step",      "next_step_at", "verdict",       "recall", "recall_lo",
                    "pg_recall", "p95_ms",       "pg_p95_ms",     "lag_ms", "since"}},
        {"gates",
         {"route",
          "gate",
          "value",
          "bound",
          "threshold",
          "direction",
          "samples",
          "evidence",
          "verdict",
          "eta_samples",
          "eta"}},
        {"guards",
         {"guard",
          "kind",
          "scope",
          "value",
          "trip",
          "clear",
          "state",
          "since",
          "action",
          "trips_24h"}},
        {"rules", {"rule", "active", "route", "match", "effect", "hits", "last_hit", "comment"}},
        {"queries",
         {"fingerprint",
          "route",
          "sample_sql",
          "calls",
          "share",
          "eligible",
          "reason",
          "served_veer",
          "served_pg",
          "fallbacks",
          "k_p50",
          "filtered",
          "recall",
          "pg_recall",
          "p95_ms",
          "pg_p95_ms",
          "quarantined"}},
        {"reasons", {"reason", "calls", "share", "last_seen", "fixable", "hint"}},
        {"compare",
         {"route",
          "window",
          "compared",
          "judged",
          "shed",
          "excluded",
          "equal",
          "ties",
          "veer_missed",
          "pg_missed",
          "pg_short",
          "hard",
          "overlap",
          "rbo",
          "dist_ratio"}},
        {"recall",
         {"route",
          "fingerprint",
          "k",
          "engine",
          "samples",
          "mean",
          "lo99",
          "p10",
          "p1",
          "share_perfect",
          "share_below_50"}},
        {"latency",
         {"route", "engine", "kind", "count", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"}},
        {"mismatches",
         {"id",
          "ts",
          "route",
          "fingerprint",
          "class",
          "severity",
          "k",
          "recall",
          "pg_recall",
          "dist_ratio",
          "noise"}},
        {"golden", {"route", "queries", "exact_fresh", "refills", "recall", "recall_at_ef"}},
        {"indexes",
         {"rows",
          "dim",
          "metric",
          "quant",
          "m",
          "ef_construction",
          "ef_search",
          "bytes",
          "deleted_share",
          "build_state",
          "build_pct",
          "build_eta_s",
          "snapshot_lsn"}},
        {"replication",
         {"slot",
          "publication",
          "state",
          "applied_lsn",
          "server_lsn",
          "lag_bytes",
          "lag_ms",
          "retained_bytes"}},
        {"clients", {"route_override", "key", "last_route", "last_reason"}},
        {"audit",
         {"seq",
          "ts",
          "actor",
          "via",
          "route",
          "version",
          "from_state",
          "from_pct",
          "to_state",
          "to_pct",
          "reason",
          "hash"}},
        {"config", {"key", "value", "file_value", "default", "source", "applies", "pending"}}};
    for (const auto& [table, columns] : promised) {
        const std::vector<std::string> there = names_of("select * from " + table);
        for (const std::string& column : columns) {
            INFO(table << '.' << column);
            CHECK(std::find(there.begin(), there.end(), column) != there.end());
        }
    }
}

TEST_CASE("every row has a value for each column") {
    const Snapshot snapshot = sample_snapshot();
    for (const Relation& relation : relations()) {
        for (const Row& row : relation.rows(snapshot)) {
            INFO(relation.name);
            CHECK(row.size() == relation.columns.size());
        }
    }
}

TEST_CASE("what is known of a route is told with it, and else NULL") {
    CHECK(
        rows_of("select pg_recall, p95_ms, pg_p95_ms, step from routes where relation like "
                "'%documents'") == "0.93|1.5|~|25\n"
    );
    CHECK(rows_of("select lo99 from recall where judge = 'exact'") == "0.5\n~\n");
    CHECK(
        rows_of("select reason, fixable, hint from reasons where route like '%documents%'") ==
        "local|f|~\npercent|t|PROMOTE it.\n"
    );
    CHECK(rows_of("select last_seen from reasons where fixable = true").substr(0, 2) == "19");
    CHECK(rows_of("select k_p50, filtered, recall from queries limit 1") == "10|t|0.99\n");
    CHECK(rows_of("select noise from mismatches") == "pg_agrees_with_itself\n");
}

TEST_CASE("what a cutover rests on is shown") {
    CHECK(
        rows_of("select guard, scope, trips_24h from guards where since is not null") ==
        "lag|server|1\n"
    );
    CHECK(rows_of("select rule, active from rules where last_hit is not null") == "10|t\n");
    CHECK(rows_of("select from_pct, to_pct, hash from audit limit 1") == "5|25|77aa\n");
    CHECK(
        rows_of("select gate, direction, verdict, eta_samples from veer.gates") ==
        "recall|>=|pass|0\nslow_share|<=|inconclusive|~\n"
    );
    CHECK(rows_of("select guard, state, trips from guards") == "lag|tripped|2\n");
    CHECK(rows_of("select rule, route, match, hits from rules") == "10|~|role=billing|412\n");
    CHECK(
        rows_of("select seq, from_state, to_state from audit where actor = 'alice'") ==
        "2|canary 5|canary 25\n1|~|~\n"
    );
    CHECK(rows_of("select seq from history limit 1") == "2\n");
    CHECK(rows_of("select step_pct, compared_needed from plan") == "50|310\n100|~\n");
}

TEST_CASE("shapes of searches are shown") {
    CHECK(
        rows_of("select fingerprint, route, calls, share, eligible, reason from queries where "
                "calls < 20") == "7c0d9e127c0d9e12|~|10|0.25|f|function\n"
    );
}

TEST_CASE("what comparisons came to is shown") {
    CHECK(
        rows_of(
            "select compared, excluded, excluded_classes, hard_classes, overlap, rbo from compare"
        ) == "20|3|in_flight 1, uncovered 2|invisible_row 1|0.9|~\n"
    );
    CHECK(
        rows_of("select judge, samples from recall where mean < 1 and engine = 'veer'") ==
        "exact|10\n"
    );
    CHECK(rows_of("select kind, count from latency") == "paired|20\n");
    CHECK(
        rows_of("select id, class, served_by, pg_recall from mismatches where severity = 'hard'") ==
        "7|invisible_row|postgres|~\n"
    );
}

TEST_CASE("conditions choose rows") {
    CHECK(
        rows_of("SELECT column, desired_pct FROM veer.routes WHERE relation = 'public.images'") ==
        "embedding|0\n"
    );
    CHECK(
        rows_of("select relation from routes where desired_pct > 0 and why is null") ==
        "public.documents\n"
    );
    CHECK(rows_of("select relation from routes where why is not null") == "public.notes\n");
    CHECK(
        rows_of("select relation from routes where desired_pct <> 25") ==
        "public.images\npublic.notes\n"
    );
    CHECK(
        rows_of("select relation from routes where desired_pct <= 25 and desired_pct >= 25") ==
        "public.documents\n"
    );
    CHECK(
        rows_of("select relation from routes where relation like '%.doc%'") == "public.documents\n"
    );
    CHECK(rows_of("select relation from routes where relation not like '%s'").empty());
    CHECK(
        rows_of("select relation from routes where veer in (0, 25)") ==
        "public.documents\npublic.images\n"
    );
    CHECK(rows_of("select relation from routes where veer not in (0, 25)") == "public.notes\n");
    CHECK(
        rows_of("select relation from routes where \"desired_pct\" < 0.5 -- nothing more") ==
        "public.images\n"
    );
}

TEST_CASE("NULL compares with nothing") {
    CHECK(rows_of("select relation from routes where why = NULL").empty());
    CHECK(rows_of("select relation from routes where why <> 'x'") == "public.notes\n");
    CHECK(rows_of("select relation from routes where veer not in (0, NULL)").empty());
}

TEST_CASE("order, limit and offset") {
    CHECK(
        rows_of("select relation from routes order by veer desc") ==
        "public.notes\npublic.documents\npublic.images\n"
    );
    CHECK(rows_of("select relation, veer v from routes order by v limit 1") == "public.images|0\n");
    CHECK(
        rows_of("select relation from routes order by 1 desc limit 1 offset 1") == "public.images\n"
    );
    CHECK(
        rows_of("select relation from routes order by why, relation limit 1") == "public.notes\n"
    );
    CHECK(
        rows_of("select relation from routes order by why desc nulls last, relation limit 1") ==
        "public.notes\n"
    );
    CHECK(rows_of("select relation from routes limit 0").empty());
    CHECK(rows_of("select relation from routes limit -1") == "2201W");
    CHECK(rows_of("select relation from routes offset -1") == "2201X");
    CHECK(rows_of("select relation from routes order by 4") == "42P10");
}

TEST_CASE("counting") {
    CHECK(rows_of("select count(*) from routes where desired_pct > 0") == "2\n");
    CHECK(rows_of("select count(*) as n from veer.clients") == "1\n");
    CHECK(rows_of("select relation, count(*) from routes") == "0A000");
}

TEST_CASE("output columns have names and types") {
    CHECK(
        names_of("select route, veer as n, 1, r.why from veer.routes r") ==
        std::vector<std::string>{"route", "n", "?column?", "why"}
    );
    CHECK(names_of("show routes") == names_of("select * from veer.routes"));
    CHECK(names_of("show veer.lag") == names_of("show replication"));
}

TEST_CASE("parameters take their column's type") {
    const auto statement =
        read_statement("select * from routes where veer > $2 and route = $1 limit $3", asker);
    REQUIRE(statement.has_value());
    CHECK(
        statement->parameters ==
        std::vector<std::optional<Type>>{Type::text, Type::integer, Type::integer}
    );
    CHECK(
        rows_of(
            "select relation from routes where veer > $1 order by veer limit $2",
            {std::int64_t{0}, std::int64_t{1}}
        ) == "public.documents\n"
    );
    CHECK(rows_of("select $0 from routes") == "42P02");
}

TEST_CASE("what drivers ask of any server") {
    CHECK(rows_of("SELECT 1") == "1\n");
    CHECK(rows_of("select version()") == "PostgreSQL 15.0 (veer 1.2.3)\n");
    CHECK(rows_of("select pg_catalog.version()") == "PostgreSQL 15.0 (veer 1.2.3)\n");
    CHECK(rows_of("select current_user, current_database()") == "alice|veer\n");
    CHECK(rows_of("select pg_is_in_recovery()") == "f\n");
    CHECK(rows_of("show transaction isolation level") == "read committed\n");
    CHECK(rows_of("SHOW standard_conforming_strings") == "on\n");
    CHECK(rows_of("show server_version") == "15.0 (veer 1.2.3)\n");
}

TEST_CASE("what is not understood is an error with Postgres' code") {
    CHECK(rows_of("select * from routes where veer = 1 or veer = 2") == "0A000");
    CHECK(rows_of("select * from routes, clients") == "0A000");
    CHECK(rows_of("select * from routes join clients on true") == "0A000");
    CHECK(rows_of("select * from routes group by route") == "0A000");
    CHECK(rows_of("select * from (select 1) x") == "0A000");
    CHECK(rows_of("select lower(route) from routes") == "42883");
    CHECK(rows_of("select nothing from routes") == "42703");
    CHECK(rows_of("select * from nothing") == "42P01");
    CHECK(rows_of("select * from public.routes") == "42P01");
    CHECK(rows_of("select * from veer.doctor") == "0A000");
    CHECK(rows_of("show doctor") == "no select");  // a question to the server
    CHECK(rows_of("show doctor x") == "0A000");
    CHECK(rows_of("show nonsense") == "42704");
    CHECK(rows_of("select * from routes where veer = 'x'") == "22P02");
    CHECK(rows_of("select * from routes where route = 1") == "42883");
    CHECK(rows_of("select * from routes where veer like '1'") == "42883");
    CHECK(rows_of("select * from routes where") == "42601");
    CHECK(rows_of("select * from routes where veer =") == "42601");
    CHECK(rows_of("select 'open") == "42601");
    CHECK(rows_of("insert into routes values (1)") == "42601");
    CHECK(rows_of("drop table routes") == "42601");
    CHECK(rows_of("") == "42601");
    CHECK(rows_of(std::string(200'000, ' ') + "select 1") == "54001");
}

TEST_CASE("an error points at its place") {
    const auto statement = read_statement("select nothing from routes", asker);
    REQUIRE(statement.has_error());
    CHECK(statement.error().position == 8);
    CHECK(statement.error().hint.find("effective_pct") != std::string::npos);
}

TEST_CASE("every relation's rows have its columns' number and types") {
    const Snapshot snapshot = sample_snapshot();
    for (const Relation& relation : relations()) {
        INFO(relation.name);
        for (const Row& row : relation.rows(snapshot)) {
            REQUIRE(row.size() == relation.columns.size());
            for (std::size_t i = 0; i < row.size(); ++i) {
                const Value sample = relation.columns[i].type == Type::timestamp
                                         ? Value(Timestamp{})
                                         : *from_text("0", relation.columns[i].type);
                INFO(relation.columns[i].name);
                CHECK((is_null(row[i]) || row[i].index() == sample.index()));
            }
        }
    }
}

TEST_CASE("text and binary forms") {
    CHECK(to_text(Timestamp{1'795'273'109'123'456}) == "2026-11-21 14:58:29.123456+00");
    CHECK(
        from_text("2026-11-21 14:58:29.123456+00", Type::timestamp) ==
        Value(Timestamp{1'795'273'109'123'456})
    );
    CHECK(
        from_text("2026-11-21T14:58:29.123456Z", Type::timestamp) ==
        Value(Timestamp{1'795'273'109'123'456})
    );
    CHECK_FALSE(from_text("2026-13-21", Type::timestamp).has_value());
    CHECK(to_text(0.1) == "0.1");
    CHECK(to_text(25.0) == "25");
    CHECK(to_binary(std::int64_t{258}) == std::string("\0\0\0\0\0\0\1\2", 8));
    CHECK(from_binary(std::string("\xff\xfe", 2), 21) == Value(std::int64_t{-2}));
    CHECK_FALSE(from_binary("123", 23).has_value());
    CHECK(is_like("abc", "a%c"));
    CHECK(is_like("a%c", "a\\%c"));
    CHECK_FALSE(is_like("abc", "a\\%c"));
    CHECK(is_like("abcabc", "%bc"));
    CHECK_FALSE(is_like("ab", "a_c"));
    CHECK(is_like("", "%"));
}
