#include "tests/integration/typed_tables.hpp"

#include <catch2/catch_test_macros.hpp>

#include <bit>
#include <cmath>
#include <map>
#include <set>

// Every type and operator of pgvector: through veer come the rows, distances and errors that come
// directly.

namespace veer::tests {

namespace {

using Values = std::vector<std::optional<std::string>>;

std::string quoted(const std::string& value) {
    return '\'' + value + '\'';
}

double number(const std::string& text, bool binary) {
    if (!binary) {
        return std::stod(text);
    }
    std::uint64_t bits = 0;
    for (const char byte : text) {
        bits = (bits << 8U) | static_cast<std::uint8_t>(byte);
    }
    return std::bit_cast<double>(bits);
}

/// id and distance in the first two columns.
double key_of(const std::string& text, bool binary) {
    if (!binary) {
        return std::stod(text);
    }
    std::uint64_t bits = 0;
    for (const char byte : text) {
        bits = (bits << 8U) | static_cast<std::uint8_t>(byte);
    }
    return static_cast<double>(bits);
}

std::string last(Client& client) {
    const Outcome shown = client.simple("SHOW veer.last");
    return shown.rows.at(0).at(0).value() + ' ' + shown.rows.at(0).at(1).value();
}

/// The distances of all rows, as a sequential scan computes them.
std::map<double, double> all_distances(Client& direct, const TypedSearch& search) {
    std::map<double, double> distances;
    const Outcome all = direct.simple(
        "SELECT id, " + search.distance(quoted(search.query)) + " FROM " + search.table +
        " WHERE e IS NOT NULL"
    );
    for (const auto& row : all.rows) {
        distances[std::stod(row[0].value())] = std::stod(row[1].value());
    }
    return distances;
}

/// Ten different rows, each as far as Postgres says, and as far as the tenth-nearest at most: equal
/// distances may come in any order (QUERIES.md B.4).
void check_nearest(const Outcome& found, const std::map<double, double>& distances, bool binary) {
    CHECK(found.sqlstate.empty());
    REQUIRE(found.rows.size() == 10);
    std::vector<double> sorted;
    for (const auto& [id, distance] : distances) {
        if (!std::isnan(distance)) {
            sorted.push_back(distance);
        }
    }
    std::sort(sorted.begin(), sorted.end());
    std::set<double> ids;
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
        const double id = key_of(found.rows[i][0].value(), binary);
        const double distance = number(found.rows[i][1].value(), binary);
        CAPTURE(i, id);
        CHECK(ids.insert(id).second);
        CHECK(std::abs(distance - distances.at(id)) <= 1e-6);
        CHECK(std::abs(distance - sorted[i]) <= 1e-6);
    }
}

void check_same(const Outcome& direct, const Outcome& through) {
    CHECK(through.status == direct.status);
    CHECK(through.sqlstate == direct.sqlstate);
    CHECK(through.message == direct.message);
    CHECK(through.rows == direct.rows);
}

/// The value in its type's binary send format.
std::string sent(Client& direct, const TypedSearch& search, const std::string& value) {
    return direct.extended("SELECT $1::" + search.type, {value}, true).rows.at(0).at(0).value();
}

}  // namespace

TEST_CASE("every type and operator is answered as Postgres answers", "[integration]") {
    TypedTables tables;
    Client direct(tables.direct());
    Client through(tables.through());
    for (const TypedSearch& search : typed_searches()) {
        CAPTURE(search.table, search.operator_name);
        const auto distances = all_distances(direct, search);
        const auto check = [&](const Outcome& found, const std::string& reason, bool binary = false
                           ) {
            CHECK(last(through) == "veer " + reason);
            check_nearest(found, distances, binary);
        };
        const std::string literal = quoted(search.query);
        const std::string measured = "id, " + search.distance(literal) + " AS d";
        check(through.simple(search.select(measured, literal)), "local");
        const std::string cast = literal + "::" + search.type;
        check(through.simple(search.select("id, " + search.distance(cast), cast)), "local");
        check(through.simple(search.select(measured + ", note", literal)), "rewrite");
        const std::string asked = search.select("id, " + search.distance("$1"), "$1");
        check(through.extended(asked, {search.query}), "local");
        check(through.extended(asked, {search.query}, true), "local", true);
        const std::string name = "s_" + search.operator_class;
        REQUIRE(through.prepare(name, asked).sqlstate.empty());
        const Values bytes{sent(direct, search, search.query)};
        check(through.execute(name, bytes, true), "local");
        check(through.execute(name, bytes, true, true), "local", true);
    }
}

TEST_CASE("what a type refuses, Postgres refuses in its own words", "[integration]") {
    TypedTables tables;
    Client direct(tables.direct());
    Client through(tables.through());
    for (const TypedSearch& search : typed_searches()) {
        CAPTURE(search.table, search.operator_name);
        const std::string asked = search.select("id, " + search.distance("$1"), "$1");
        std::vector<std::string> values = search.malformed;
        values.insert(values.end(), search.zeros.begin(), search.zeros.end());
        for (const std::string& value : values) {
            CAPTURE(value);
            const std::string sql = search.select("id", quoted(value));
            check_same(direct.simple(sql), through.simple(sql));
            CHECK(last(through).starts_with("postgres "));
            check_same(direct.extended(asked, {value}), through.extended(asked, {value}));
            CHECK(last(through).starts_with("postgres "));
        }
        check_same(direct.extended(asked, {std::nullopt}), through.extended(asked, {std::nullopt}));
        CHECK(last(through) == "postgres vector_value");
        const std::string other = search.select("id", quoted(search.query) + "::unknown_type");
        check_same(direct.simple(other), through.simple(other));
    }
}

TEST_CASE("a query cast to another type is compared by Postgres", "[integration]") {
    TypedTables tables;
    Client direct(tables.direct());
    Client through(tables.through());
    const std::string vector = "'[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8,0.9]'";
    for (const std::string& sql :
         {"SELECT id FROM vectors ORDER BY e <+> " + vector + "::halfvec LIMIT 5",
          "SELECT id FROM halfvecs ORDER BY e <-> " + vector + "::vector LIMIT 5"}) {
        CAPTURE(sql);
        check_same(direct.simple(sql), through.simple(sql));
        CHECK(last(through) == "postgres vector_type");
    }
}

TEST_CASE("rows of every type follow what is written", "[integration]") {
    TypedTables tables;
    Client through(tables.through());
    for (const TypedSearch& search : typed_searches()) {
        if (search.operator_name == "<#>") {
            continue;  // the nearest to itself is another
        }
        CAPTURE(search.table, search.operator_name);
        const auto nearest = [&] {
            const std::string literal = quoted(search.query);
            const Outcome found =
                through.simple(search.select("id, " + search.distance(literal) + " AS d", literal));
            CHECK(last(through) == "veer local");
            return found.rows.at(0).at(0).value();
        };
        const std::string into = "INSERT INTO " + search.table + " VALUES (9000, 'new', ";
        CHECK(nearest() != "9000");
        CHECK(through.simple(into + quoted(search.query) + ")").sqlstate.empty());
        CHECK(nearest() == "9000");
        through.simple("UPDATE " + search.table + " SET e = NULL WHERE id = 9000");
        CHECK(nearest() != "9000");
        through.simple(
            "UPDATE " + search.table + " SET e = " + quoted(search.query) + " WHERE id = 9000"
        );
        CHECK(nearest() == "9000");
        through.simple("DELETE FROM " + search.table + " WHERE id = 9000");
        CHECK(nearest() != "9000");
    }
}

}  // namespace veer::tests
