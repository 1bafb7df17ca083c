#include "proxy/session/constant_rows.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::proxy::session {

namespace {

constexpr std::uint32_t int8_oid = 20;
constexpr std::uint32_t text_oid = 25;
constexpr std::int16_t binary = 1;

LocalAnswer two_columns(std::size_t rows) {
    LocalAnswer answer;
    answer.fields = {
        {.name = "id", .type_oid = int8_oid, .format = binary},
        {.name = "a \"name\"", .type_oid = text_oid}};
    answer.row_count = rows;
    return answer;
}

}  // namespace

TEST_CASE("rows become parameters of a statement, byte by byte", "[proxy]") {
    LocalAnswer answer = two_columns(2);
    wire::write_data_row(answer.rows, std::vector<std::string>{std::string("\0\1", 2), "it's"});
    wire::write_data_row(answer.rows, std::vector<std::optional<std::string>>{"12345678", {}});
    CHECK(
        constant_text(answer) ==
        R"(SELECT * FROM (VALUES ($1, $2), ($3, $4)) AS v ("id", "a ""name""") LIMIT 2)"
    );
    CHECK(
        constant_types(answer) == std::vector<std::uint32_t>{int8_oid, text_oid, int8_oid, text_oid}
    );
    const wire::Bind bind = constant_bind(answer, "C_1");
    CHECK(bind.portal == "C_1");
    CHECK(bind.parameter_formats == std::vector<std::int16_t>{1, 0, 1, 0});
    CHECK(bind.result_formats == std::vector<std::int16_t>{1, 0});
    CHECK(
        bind.parameters ==
        std::vector<std::optional<wire::Bytes>>{
            wire::Bytes("\0\1", 2), "it's", "12345678", std::nullopt}
    );
}

TEST_CASE("no rows are none, and rows without columns are counted", "[proxy]") {
    CHECK(
        constant_text(two_columns(0)) ==
        R"(SELECT * FROM (VALUES ($1, $2)) AS v ("id", "a ""name""") LIMIT 0)"
    );
    CHECK(constant_bind(two_columns(0), "").parameters.size() == 2);
    LocalAnswer bare;
    bare.row_count = 3;
    CHECK(constant_text(bare) == "SELECT FROM pg_catalog.generate_series(1, 3)");
    CHECK(constant_types(bare).empty());
    CHECK(constant_bind(bare, "p").parameters.empty());
}

}  // namespace veer::proxy::session
