#include "router/accepted_statements.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router {

TEST_CASE("a statement is known by its text and its parameter types", "[router]") {
    AcceptedStatements accepted;
    accepted.note_parsed("SELECT $1", {});
    accepted.note_parsed("SELECT $1", {20, 0});
    CHECK(accepted.parsed("SELECT $1", {}));
    CHECK(accepted.parsed("SELECT $1", {20, 0}));
    CHECK_FALSE(accepted.parsed("SELECT $1", {20}));
    CHECK_FALSE(accepted.parsed("SELECT $2", {}));
}

TEST_CASE("a description belongs to a statement that was accepted", "[router]") {
    AcceptedStatements accepted;
    accepted.note_described("SELECT 1", {}, "tT");
    CHECK_FALSE(accepted.described("SELECT 1", {}));
    accepted.note_parsed("SELECT 1", {});
    CHECK_FALSE(accepted.described("SELECT 1", {}));
    accepted.note_described("SELECT 1", {}, "tT");
    CHECK(accepted.described("SELECT 1", {}) == "tT");
}

TEST_CASE("what was used last is kept, within bounds", "[router]") {
    AcceptedStatements accepted;
    accepted.note_parsed("first", {});
    for (std::size_t i = 1; i < AcceptedStatements::entries_max; ++i) {
        accepted.note_parsed("SELECT " + std::to_string(i), {});
    }
    CHECK(accepted.parsed("first", {}));
    accepted.note_parsed("one more", {});
    CHECK(accepted.parsed("first", {}));
    CHECK_FALSE(accepted.parsed("SELECT 1", {}));
    accepted.note_parsed(std::string(AcceptedStatements::text_bytes_max + 1, 'x'), {});
    CHECK_FALSE(accepted.parsed(std::string(AcceptedStatements::text_bytes_max + 1, 'x'), {}));
}

}  // namespace veer::router
