#include "router/vector_value.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace veer::router {

using namespace std::string_literals;
using Floats = std::vector<float>;

TEST_CASE("parse_vector_text reads what vector_in reads", "[router]") {
    CHECK(parse_vector_text("[1,2.5,-3e-4]") == Floats{1, 2.5F, -3e-4F});
    CHECK(parse_vector_text(" [ 1 , +2 ,\t3 ] ") == Floats{1, 2, 3});
    CHECK(parse_vector_text("[.5,5.]") == Floats{0.5F, 5});
}

TEST_CASE("what veer is not sure of is nothing", "[router]") {
    for (const char* text :
         {"",
          "[]",
          "[1,]",
          "[,1]",
          "[1 2]",
          "1,2",
          "[1,2",
          "{1,2}",
          "[1,NaN]",
          "[Infinity]",
          "[1e39]",
          "[0x10]",
          "[1,2]x",
          "[+-1]"}) {
        INFO(text);
        CHECK_FALSE(parse_vector_text(text));
    }
}

TEST_CASE("parse_vector_binary reads vector_send's form and nothing else", "[router]") {
    const std::string two = "\0\2\0\0\x3f\x80\0\0\xc0\x00\0\0"s;
    CHECK(parse_vector_binary(two) == Floats{1, -2});
    for (std::size_t length = 0; length < two.size(); ++length) {
        CHECK_FALSE(parse_vector_binary(two.substr(0, length)));
    }
    CHECK_FALSE(parse_vector_binary(two + '\0'));
    CHECK_FALSE(parse_vector_binary("\0\2\0\1\x3f\x80\0\0\xc0\x00\0\0"s));
    CHECK_FALSE(parse_vector_binary("\0\1\0\0\x7f\x80\0\0"s));
    CHECK_FALSE(parse_vector_binary("\xff\xff\0\0"s));
}

TEST_CASE("arrays are read in both forms", "[router]") {
    CHECK(parse_array_text("{1.0,2}") == Floats{1, 2});
    CHECK(parse_array_text(R"({"1.5", "-2",3})") == Floats{1.5F, -2, 3});  // node-postgres
    for (const char* text :
         {"{1,NULL}", R"({"1})", R"({1"})", R"({"1""2"})", R"({""})", R"({"1,2"})"}) {
        INFO(text);
        CHECK_FALSE(parse_array_text(text));
    }
    CHECK_FALSE(parse_vector_text(R"(["1"])"));
    CHECK(parse_array_items("1, 2.5") == Floats{1, 2.5F});
    const std::string float8_array =
        "\0\0\0\1\0\0\0\0\0\0\x02\xbd\0\0\0\1\0\0\0\1\0\0\0\x08\x3f\xf0\0\0\0\0\0\0"s;
    CHECK(parse_array_binary(float8_array) == Floats{1});
    for (std::size_t length = 0; length < float8_array.size(); ++length) {
        CHECK_FALSE(parse_array_binary(float8_array.substr(0, length)));
    }
}

}  // namespace veer::router
