#include "tests/integration/playground.hpp"
#include "tests/integration/statements.hpp"

#include <catch2/catch_test_macros.hpp>

#include <bit>
#include <cmath>

// One list of statements, directly and through veer: whatever the share, a client cannot tell.

namespace veer::tests {

namespace {

constexpr unsigned float8_oid = 701;

double number(const std::string& text, int format) {
    if (format == 0) {
        return std::stod(text);
    }
    std::uint64_t bits = 0;
    for (const char byte : text) {
        bits = (bits << 8U) | static_cast<std::uint8_t>(byte);
    }
    return std::bit_cast<double>(bits);
}

/// pgvector's own sums depend on processor and build in the last bits (QUERIES.md B.4).
bool same_distance(const std::string& a, const std::string& b, int format) {
    return std::abs(number(a, format) - number(b, format)) <= 1e-6;
}

void check_rows(const Outcome& direct, const Outcome& through) {
    REQUIRE(through.rows.size() == direct.rows.size());
    for (std::size_t r = 0; r < direct.rows.size(); ++r) {
        for (std::size_t c = 0; c < direct.columns.size(); ++c) {
            const auto& expected = direct.rows[r][c];
            const auto& found = through.rows[r][c];
            INFO("row " << r << " column " << c);
            const bool distance = direct.columns[c].type == float8_oid && expected && found;
            if (distance) {
                CHECK(same_distance(*expected, *found, direct.columns[c].format));
            } else {
                CHECK(found == expected);
            }
        }
    }
}

void check_same(const Outcome& direct, const Outcome& through) {
    CHECK(through.status == direct.status);
    CHECK(through.tag == direct.tag);
    CHECK(through.sqlstate == direct.sqlstate);
    CHECK(through.message == direct.message);
    CHECK(through.columns == direct.columns);
    check_rows(direct, through);
}

/// Runs all statements in every way that a client can send them.
void compare_all(Playground& playground) {
    Client direct(playground.direct());
    Client through(playground.through());
    int number = 0;
    for (const Statement& statement : equality_statements()) {
        INFO(statement.sql);
        if (!statement.has_parameters()) {
            check_same(direct.simple(statement.sql), through.simple(statement.sql));
        }
        for (const bool binary : {false, true}) {
            check_same(
                direct.extended(statement.sql, statement.parameters, binary),
                through.extended(statement.sql, statement.parameters, binary)
            );
        }
        const std::string name = "s" + std::to_string(number++);
        check_same(direct.prepare(name, statement.sql), through.prepare(name, statement.sql));
        for (int repeat = 0; repeat < 2; ++repeat) {
            check_same(
                direct.execute(name, statement.parameters),
                through.execute(name, statement.parameters)
            );
        }
    }
}

/// With all searches compared besides, which no client may notice.
std::string share(const std::string& percent) {
    return "[defaults]\npercent = " + percent +
           "\n[compare]\nrate = 1\nbudget_per_second = 10000\nload_max = 1\n";
}

}  // namespace

TEST_CASE("the same statements give the same answers at 0, 50 and 100 percent", "[integration]") {
    REQUIRE(equality_statements().size() >= 40);
    Playground playground(share("0"));
    compare_all(playground);
    for (const std::string percent : {"50", "100"}) {
        playground.veer.reload(share(percent));
        playground.await_percent(percent);
        compare_all(playground);
    }
}

TEST_CASE("each statement is answered by whom, and for the reason, it should be", "[integration]") {
    Playground playground("[defaults]\npercent = 100\n");
    Client client(playground.through());
    for (const Statement& statement : equality_statements()) {
        if (statement.reason.empty()) {
            continue;
        }
        INFO(statement.sql);
        client.extended(statement.sql, statement.parameters);
        const Outcome last = client.simple("SHOW veer.last");
        REQUIRE(last.rows.size() == 1);
        const bool served = statement.reason == "local" || statement.reason == "rewrite";
        CHECK(last.rows[0][0] == (served ? "veer" : "postgres"));
        if (statement.reason != "?") {
            CHECK(last.rows[0][1] == statement.reason);
        }
    }
}

}  // namespace veer::tests
