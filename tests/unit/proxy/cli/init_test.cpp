#include "config/parse.hpp"
#include "proxy/cli/init_text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace veer;
using namespace veer::proxy::cli;

namespace {

storage::Table table_of(const std::string& name) {
    storage::Table table;
    table.schema = "public";
    table.name = name;
    table.columns = {{.name = "id"}, {.name = "embedding"}};
    table.key = {0};
    table.vectors = {1};
    table.indexes = {
        {.name = "one", .method = "hnsw", .operator_name = "<=>"},
        {.name = "again", .method = "ivfflat", .operator_name = "<=>"}};
    return table;
}

proxy::DoctorFacts facts_of(const std::string& name) {
    proxy::DoctorFacts facts;
    facts.server.version_text = "15.20";
    facts.catalogue.tables = {table_of(name)};
    facts.columns = {
        {.table = "public." + name,
         .column = "embedding",
         .type = "vector(3)",
         .rows = 50,
         .indexes = ""},
        {.table = "public.plain", .column = "v\nw", .type = "vector(2)", .rows = -1, .indexes = ""},
        {.table = "public.keyless",
         .column = "v",
         .type = "vector(2)",
         .has_key = false,
         .indexes = ""}};
    return facts;
}

}  // namespace

TEST_CASE("a first configuration reads back as what was found, at no share") {
    for (const std::string name : {"documents", "Odd \"one\".\\"}) {
        const std::string dsn = "host=db password='a\\'\"b'";
        const std::string text = initial_config(facts_of(name), dsn);
        INFO(text);
        const auto config = config::parse(text, "veer.toml");
        REQUIRE(config.has_value());
        CHECK(config->upstream.dsn == dsn);
        REQUIRE(config->routes.size() == 1);
        CHECK(config->routes[0].column.table == name);
        CHECK(config->routes[0].column.column == "embedding");
        CHECK(config->routes[0].operator_name == "<=>");
        CHECK(config->routes[0].percent == 0);
        CHECK(config->defaults.percent == 0);
        CHECK(text.find("# public.plain.v w  vector(2): no index") != std::string::npos);
        CHECK(text.find("# public.keyless.v  vector(2): no primary key") != std::string::npos);
    }
}
