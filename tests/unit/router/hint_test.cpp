#include "router/hint.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router {

namespace {

using cutover::Voice;

Hint hint(const std::string& sql) {
    return uncomment(sql).hint;
}

}  // namespace

TEST_CASE("a hint names the engine and the key", "[router]") {
    const Hint read = hint("SELECT 1 /* veer: route=postgres key=tenant-42 ef=200 */");
    CHECK(read.route == Voice::postgres);
    CHECK(read.key == "tenant-42");
    CHECK(hint("/*veer: veer*/ SELECT 1").route == Voice::veer);
    CHECK(hint("SELECT /* veer:route=veer */ 1").route == Voice::veer);
    CHECK(hint("SELECT 1 /* NO LOAD BALANCE */").route == Voice::postgres);
    CHECK(hint("SELECT 1 /*no load balance*/").route == Voice::postgres);
}

TEST_CASE("postgres outweighs veer among the hints, in either order", "[router]") {
    CHECK(hint("SELECT /* veer: veer */ 1 /* veer: postgres */").route == Voice::postgres);
    CHECK(hint("SELECT /* veer: postgres */ 1 /* veer: veer */").route == Voice::postgres);
    CHECK(hint("SELECT /* veer: route=postgres route=veer */ 1").route == Voice::postgres);
}

TEST_CASE("Postgres is understood however it is written", "[router]") {
    for (const char* sql :
         {"SELECT 1 /* veer: route=Postgres */",
          "SELECT 1 /* veer: POSTGRES */",
          "SELECT 1 /* VEER: route=postgres */",
          "SELECT 1 /* veer: Route=PostgreSQL */",
          "SELECT 1 /* veer: route=postgres,key=a */",
          "SELECT 1 /* veer: key=a,route=postgres; */",
          "SELECT 1 /* veer: route='postgres' */"}) {
        CAPTURE(sql);
        CHECK(hint(sql).route == Voice::postgres);
    }
    CHECK(hint("SELECT 1 /* veer: route=postgres,key=a */").key == "a");
    CHECK(hint("SELECT 1 /* veer: key=a,b */").key == "a,b");
    CHECK(hint("SELECT 1 /* veer: key=a,postgres-eu */").key == "a,postgres-eu");
    CHECK(hint("SELECT 1 /* veer: key=a,postgres */").route == Voice::postgres);
}

TEST_CASE("of more comments than are read nobody knows what they say: Postgres", "[router]") {
    std::string sql = "SELECT 1 /* veer: veer */";
    for (std::size_t i = 0; i < Hint::comments_max; ++i) {
        sql += " /* and */";
    }
    CHECK(hint(sql).route == Voice::postgres);
}

TEST_CASE("only comments are hints", "[router]") {
    for (const char* sql :
         {"SELECT '/* veer: veer */'",
          "SELECT \"/* veer: veer */\"",
          "SELECT $$/* veer: veer */$$",
          "SELECT E'\\'/* veer: veer */'",
          "SELECT 1 -- /* veer: veer */",
          "SELECT 1 /*+ veer: veer */",
          "SELECT 1 /* veer: veer",
          "SELECT 1 /* say veer: veer */",
          "SELECT 1 /* veer: nonsense */"}) {
        CAPTURE(sql);
        CHECK(hint(sql) == Hint());
    }
}

TEST_CASE("sqlcommenter's comments are tags", "[router]") {
    const Hint read = hint("SELECT 1 /*app='web',route='%2Fsearch%3Aall',x='50%'*/");
    const std::vector<cutover::Tag> expected{
        {"app", "web"}, {"route", "/search:all"}, {"x", "50%"}};
    CHECK(read.tags == expected);
    CHECK(hint("SELECT 1 /* it's a comment, really */").tags.empty());
}

TEST_CASE("comments are blanked at their places, and nothing else is", "[router]") {
    const std::string sql = "/* a */SELECT '/* b */' /* c /* d */ */, 2--/* e */\n/* f */";
    CHECK(uncomment(sql).text.size() == sql.size());
    CHECK(uncomment(sql).text == "       SELECT '/* b */'                , 2--/* e */\n       ");
    CHECK(uncomment("SELECT 1").text == "SELECT 1");
}

TEST_CASE("many comments and tags are bounded", "[router]") {
    std::string sql = "SELECT 1 ";
    for (int i = 0; i < 100; ++i) {
        sql += "/*a='1',b='2',c='3'*/";
    }
    CHECK(hint(sql).tags.size() == Hint::tags_max);
    CHECK(hint("SELECT 1" + std::string(100'000, '/') + "*").tags.empty());
    CHECK(hint("SELECT 1 /*" + std::string(100'000, '*')).tags.empty());
}

}  // namespace veer::router
