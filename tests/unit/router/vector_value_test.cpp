#include "router/vector_value.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace veer::router {

using namespace std::string_literals;
using storage::BitVector;
using storage::SparseVector;
using storage::Vector;
using storage::VectorKind;

storage::Vector floats(std::vector<float> values) {
    return values;
}

TEST_CASE("parse_vector_text reads what vector_in reads", "[router]") {
    CHECK(parse_vector_text(VectorKind::vector, "[1,2.5,-3e-4]") == floats({1, 2.5F, -3e-4F}));
    CHECK(parse_vector_text(VectorKind::vector, " [ 1 , +2 ,\t3 ] ") == floats({1, 2, 3}));
    CHECK(parse_vector_text(VectorKind::vector, "[.5,5.]") == floats({0.5F, 5}));
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
        CHECK_FALSE(parse_vector_text(VectorKind::vector, text));
    }
}

TEST_CASE("short and long numbers of one list keep their places", "[router]") {
    std::mt19937_64 chance{20260102};
    for (int list = 0; list < 2'000; ++list) {
        std::string text = "[";
        std::vector<float> wanted;
        for (std::size_t i = 0, count = 1 + chance() % 40; i < count; ++i) {
            std::string number = (chance() % 2 == 0 ? "-0." : "3.") +
                                 std::to_string(chance()).substr(0, 1 + chance() % 9);
            if (chance() % 40 == 0) {
                number += "e-3";
            } else if (chance() % 40 == 0) {
                number += "0123456789";
            }
            float value = 0;
            std::from_chars(number.data(), number.data() + number.size(), value);
            wanted.push_back(value);
            const char* const between = chance() % 20 == 0  ? "  , "
                                        : chance() % 2 == 0 ? ", "
                                                            : ",";
            text += (i == 0 ? "" : between) + number;
        }
        CAPTURE(text);
        REQUIRE(parse_vector_text(VectorKind::vector, text + "]") == floats(wanted));
        REQUIRE_FALSE(parse_vector_text(VectorKind::vector, text + ",]"));
        REQUIRE_FALSE(parse_vector_text(VectorKind::vector, text + ",,1]"));
        REQUIRE_FALSE(parse_vector_text(VectorKind::vector, text + " 0.25,0.123456789012345678]"));
    }
}

TEST_CASE("a number of few digits is the float that is nearest to it", "[router]") {
    std::mt19937_64 chance{20260101};
    // Eight bytes are read at once, while there are so many.
    const std::string behind = ",0.12345678901234567890";
    const auto check = [&behind](const std::string& text) {
        float wanted = 0;
        std::from_chars(text.data(), text.data() + text.size(), wanted);
        const auto read = parse_vector_text(VectorKind::vector, '[' + text + behind + ']');
        REQUIRE(read);
        const float found = std::get<std::vector<float>>(*read).front();
        CAPTURE(text);
        REQUIRE(std::bit_cast<std::uint32_t>(found) == std::bit_cast<std::uint32_t>(wanted));
    };
    for (int i = 0; i < 50'000; ++i) {
        std::string digits = std::to_string(chance());
        digits.resize(1 + chance() % std::min<std::size_t>(digits.size(), 17));
        digits.insert(chance() % 4 == 0 ? 1 + chance() % digits.size() : 1, ".");
        check((chance() % 2 == 0 ? "-" : "") + digits + (digits.back() == '.' ? "0" : ""));
    }
    // In the middle of two floats, and as near to it as can be.
    for (const char* const text :
         {"16777217.0",
          "16777217.00000001",
          "16777216.99999999",
          "33554434.0",
          "0.500000029802322",
          "1.00000005960464",
          "1.00000005960465",
          "9007199254740.99",
          "0.0",
          "-0.0",
          "0.00000000000001",
          "0.5e1",
          "1.",
          "5",
          "1.00000005960464478",
          "1.0000001788139343"}) {
        check(text);
    }
}

TEST_CASE("parse_vector_binary reads vector_send's form and nothing else", "[router]") {
    const std::string two = "\0\2\0\0\x3f\x80\0\0\xc0\x00\0\0"s;
    CHECK(parse_vector_binary(VectorKind::vector, two) == floats({1, -2}));
    for (std::size_t length = 0; length < two.size(); ++length) {
        CHECK_FALSE(parse_vector_binary(VectorKind::vector, two.substr(0, length)));
    }
    CHECK_FALSE(parse_vector_binary(VectorKind::vector, two + '\0'));
    CHECK_FALSE(parse_vector_binary(VectorKind::vector, "\0\2\0\1\x3f\x80\0\0\xc0\x00\0\0"s));
    CHECK_FALSE(parse_vector_binary(VectorKind::vector, "\0\1\0\0\x7f\x80\0\0"s));
    CHECK_FALSE(parse_vector_binary(VectorKind::vector, "\xff\xff\0\0"s));
}

TEST_CASE("arrays are read in both forms", "[router]") {
    CHECK(parse_array_text(VectorKind::vector, "{1.0,2}") == floats({1, 2}));
    CHECK(
        parse_array_text(VectorKind::vector, R"({"1.5", "-2",3})") == floats({1.5F, -2, 3})
    );  // node-postgres
    for (const char* text :
         {"{1,NULL}", R"({"1})", R"({1"})", R"({"1""2"})", R"({""})", R"({"1,2"})"}) {
        INFO(text);
        CHECK_FALSE(parse_array_text(VectorKind::vector, text));
    }
    CHECK_FALSE(parse_vector_text(VectorKind::vector, R"(["1"])"));
    CHECK(parse_array_items(VectorKind::vector, "1, 2.5") == floats({1, 2.5F}));
    const std::string float8_array =
        "\0\0\0\1\0\0\0\0\0\0\x02\xbd\0\0\0\1\0\0\0\1\0\0\0\x08\x3f\xf0\0\0\0\0\0\0"s;
    CHECK(parse_array_binary(VectorKind::vector, float8_array) == floats({1}));
    CHECK(
        parse_array_binary(VectorKind::vector, float8_array, ArrayElement::float8) == floats({1})
    );
    CHECK_FALSE(parse_array_binary(VectorKind::vector, float8_array, ArrayElement::float4));
    for (std::size_t length = 0; length < float8_array.size(); ++length) {
        CHECK_FALSE(parse_array_binary(VectorKind::vector, float8_array.substr(0, length)));
    }
}

TEST_CASE("an array literal of whole numbers beyond integer is a bigint[]", "[router]") {
    CHECK(parse_array_items(VectorKind::vector, "2147483647, -2147483647"));
    CHECK(parse_array_items(VectorKind::vector, "3000000000, 1.5"));
    CHECK(parse_array_items(VectorKind::vector, "3000000000, 9223372036854775808"));
    CHECK_FALSE(parse_array_items(VectorKind::vector, "3000000000, 1"));
    CHECK_FALSE(parse_array_items(VectorKind::vector, "1, -2147483648"));
    CHECK_FALSE(parse_array_items(VectorKind::vector, "9223372036854775807"));
}

TEST_CASE("a halfvec is rounded once, from the float32 that its text means", "[router]") {
    CHECK(
        parse_vector_text(VectorKind::halfvec, "[1,0.1,-65519]") == floats({1, 0x1.998p-4F, -65504})
    );
    CHECK(parse_vector_text(VectorKind::halfvec, "[1e-8]") == floats({0}));
    CHECK_FALSE(parse_vector_text(VectorKind::halfvec, "[65520]"));
    CHECK_FALSE(parse_vector_text(VectorKind::halfvec, "[1,-1e5]"));
    CHECK(parse_vector_binary(VectorKind::halfvec, "\0\1\0\0\x3c\0"s) == floats({1}));
    CHECK_FALSE(parse_vector_binary(VectorKind::halfvec, "\0\1\0\0\x7c\0"s));  // infinity
    CHECK_FALSE(parse_vector_binary(VectorKind::halfvec, "\0\1\0\0\x7c\1"s));  // NaN
    CHECK(parse_array_text(VectorKind::halfvec, "{0.1}") == floats({0x1.998p-4F}));
    CHECK_FALSE(parse_array_items(VectorKind::halfvec, "1, 70000"));
}

TEST_CASE("a number that float8 and float4 round to different floats is Postgres'", "[router]") {
    // Halfway between two floats but for the last digit, which a double does not hold.
    const std::string number = "1.00000005960464477539062500001";
    CHECK(parse_vector_text(VectorKind::vector, "[" + number + "]"));
    CHECK_FALSE(parse_array_items(VectorKind::vector, number));  // perhaps cast to float8[]
    CHECK_FALSE(parse_array_text(VectorKind::vector, "{" + number + "}"));
}

TEST_CASE("bits are read by bit_in's plain form", "[router]") {
    CHECK(parse_vector_text(VectorKind::bit, "1011000001") == Vector{BitVector{10, {0x40B0}}});
    for (const char* text : {"", "102", " 1", "b101", "x1F", "[1]"}) {
        INFO(text);
        CHECK_FALSE(parse_vector_text(VectorKind::bit, text));
    }
    CHECK(parse_vector_binary(VectorKind::bit, "\0\0\0\3\xA0"s) == Vector{BitVector{3, {0xA0}}});
    CHECK_FALSE(parse_vector_binary(VectorKind::bit, "\0\0\0\3\xA1"s));
    CHECK_FALSE(parse_array_items(VectorKind::bit, "1, 0"));
}

TEST_CASE("sparse vectors are read as sparsevec_in reads them", "[router]") {
    const Vector wanted = SparseVector{5, {0, 2}, {1.5F, -2}};
    for (const char* text :
         {"{1:1.5,3:-2}/5", "{3:-2,1:1.5}/5", " { 1 : 1.5 , 3 : -2 } / 5 ", "{1:1.5,9:0,3:-2}/5"}) {
        INFO(text);
        CHECK(parse_vector_text(VectorKind::sparsevec, text) == wanted);
    }
    CHECK(parse_vector_text(VectorKind::sparsevec, "{}/5") == Vector{SparseVector{5, {}, {}}});
    CHECK(parse_vector_text(VectorKind::sparsevec, "{1000000000:1}/1000000000"));
    CHECK(parse_array_items(VectorKind::sparsevec, "1.5,0,-2,0,0") == wanted);
    for (const char* text :
         {"",
          "{1:1}",
          "{1:1}/0",
          "{1:1}/1000000001",
          "{0:1}/5",
          "{6:1}/5",
          "{-1:1}/5",
          "{1:1,1:2}/5",
          "{1:NaN}/5",
          "{1:Infinity}/5",
          "{1:1e39}/5",
          "{1:1,}/5",
          "{1}/5",
          "{1:1}/5x",
          "[1]"}) {
        INFO(text);
        CHECK_FALSE(parse_vector_text(VectorKind::sparsevec, text));
    }
    std::string many = "{1:1";
    for (int i = 2; i <= 16'001; ++i) {
        many += ',' + std::to_string(i) + ":1";
    }
    CHECK_FALSE(parse_vector_text(VectorKind::sparsevec, many + "}/20000"));
}

}  // namespace veer::router
