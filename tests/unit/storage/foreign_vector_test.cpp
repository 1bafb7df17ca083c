#include "storage/foreign_vector.hpp"

#include "storage/byte_writer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <bit>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace veer::storage;

namespace {

using Floats = std::vector<float>;

std::optional<Vector> of_text(const std::string& text, std::int32_t dimensions) {
    return read_foreign_vector(VectorForm::text, dimensions, text);
}

Vector vector(Floats values) {
    return values;
}

/// What array_send writes; nothing is NULL.
template <class Number>
std::string sent_array(const std::vector<std::optional<Number>>& values, std::uint32_t lower = 1) {
    constexpr bool wide = sizeof(Number) == 8;
    ByteWriter out;
    out.be32(values.empty() ? 0 : 1).be32(0).be32(wide ? 701 : 700);
    if (!values.empty()) {
        out.be32(static_cast<std::uint32_t>(values.size())).be32(lower);
    }
    for (const auto& value : values) {
        if (!value.has_value()) {
            out.be32(0xFFFFFFFFU);
        } else if constexpr (wide) {
            out.be32(8).be64(std::bit_cast<std::uint64_t>(*value));
        } else {
            out.be32(4).be32(std::bit_cast<std::uint32_t>(*value));
        }
    }
    return out.take();
}

std::optional<Vector> of_reals(const std::vector<std::optional<float>>& values) {
    return read_foreign_vector(
        VectorForm::real_array, static_cast<std::int32_t>(values.size()), sent_array(values)
    );
}

std::optional<Vector> of_doubles(const std::vector<std::optional<double>>& values) {
    return read_foreign_vector(
        VectorForm::double_array, static_cast<std::int32_t>(values.size()), sent_array(values)
    );
}

/// As programs write it: the shortest form, nine digits, hexadecimal.
std::string written(float value, unsigned how) {
    constexpr std::array<const char*, 4> formats{"%.9g", "%.20e", "%a", "%.60f"};
    std::array<char, 256> buffer{};
    const int size = std::snprintf(
        buffer.data(), buffer.size(), formats.at(how % 4), static_cast<double>(value)
    );
    return std::string(buffer.data(), static_cast<std::size_t>(size));
}

}  // namespace

TEST_CASE("A vector is read from text as vector_in reads it", "[storage]") {
    CHECK(of_text("[1,2,3]", 3) == vector({1, 2, 3}));
    CHECK(of_text(" [ 1.5 ,\t-2e-3,\n.25 ]\v\f\r ", 3) == vector({1.5F, -2e-3F, .25F}));
    CHECK(of_text("[+1,0x1p3,5.]", 3) == vector({1, 8, 5}));
    CHECK(of_text("[16777217]", 1) == vector({16777216}));
    CHECK(
        of_text("[1e-60,-0,1e-45]", 3) ==
        vector({0, -0.0F, std::numeric_limits<float>::denorm_min()})
    );
    CHECK(of_text("[3.4028235e38]", 1) == vector({std::numeric_limits<float>::max()}));
}

TEST_CASE("What vector_in refuses, or has other dimensions, is no vector", "[storage]") {
    for (const std::string text :
         {"",      " ",     "[",     "[]",     "[ ]",     "[,]",   "[1,]",  "[1",     "1",
          "{1}",   "[1]x",  "[1] ]", "[1;2]",  "[a]",     "[nan]", "[inf]", "[1e39]", "[-Infinity]",
          "[1 2]", "[--1]", "[+ 1]", "[null]", "[\"1\"]", "[[1]]", "(1)",   "[1e]",   "[0x]"}) {
        CAPTURE(text);
        CHECK_FALSE(of_text(text, 1).has_value());
    }
    CHECK_FALSE(of_text("[1,2]", 3).has_value());
    CHECK_FALSE(of_text("[1,2,3,4]", 3).has_value());
    CHECK_FALSE(of_text("[1,2,3]", 0).has_value());
    CHECK_FALSE(of_text(std::string("[1\0]", 4), 1).has_value());
    std::string many = "[1";
    for (int i = 0; i < 16'000; ++i) {
        many += ",1";
    }
    CHECK_FALSE(of_text(many + ']', 16'001).has_value());
}

TEST_CASE("Every float comes back from however it was written", "[storage]") {
    std::mt19937 random{17};
    for (unsigned round = 0; round < 20'000; ++round) {
        const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        if (!(std::abs(value) <= std::numeric_limits<float>::max())) {
            continue;
        }
        const bool fixed = round % 4 == 3;
        if (fixed && std::abs(value) < 1e-30F) {
            continue;  // not all of its digits are among the sixty
        }
        const std::string text = written(value, round);
        CAPTURE(text);
        CHECK(of_text("[" + text + " , 1]", 2) == vector({value, 1}));
    }
}

TEST_CASE("No bytes are too strange to be read", "[storage]") {
    std::mt19937 random{18};
    const std::vector<std::string> good{
        "[1, -2.5e3,0x1p4 ]",
        "\x01[1, 2, 3]",
        sent_array<float>({1, 2, 3}),
        sent_array<double>({1, 2})};
    std::size_t read = 0;
    for (int round = 0; round < 50'000; ++round) {
        std::string bytes = good.at(random() % good.size());
        for (unsigned changes = random() % 4; changes > 0; --changes) {
            const std::size_t at = random() % bytes.size();
            switch (random() % 3) {
                case 0:
                    bytes[at] = static_cast<char>(random());
                    break;
                case 1:
                    bytes = bytes.substr(0, at) + " ";
                    break;
                default:
                    bytes.insert(at, 1, "[],e+-.0x\0"[random() % 10]);
            }
        }
        for (const auto form :
             {VectorForm::native,
              VectorForm::unbound,
              VectorForm::real_array,
              VectorForm::double_array,
              VectorForm::text,
              VectorForm::jsonb}) {
            const auto found = read_foreign_vector(form, 3, bytes);
            CHECK((!found || dimensions_of(*found) == 3));
            read += found ? 1U : 0U;
        }
    }
    CHECK(read > 1'000);
}

TEST_CASE("Arrays are read as array_to_vector reads them", "[storage]") {
    constexpr double infinite = std::numeric_limits<double>::infinity();
    CHECK(of_reals({1, -2.5F}) == vector({1, -2.5F}));
    CHECK(of_doubles({1, 0.1, 1e-60}) == vector({1, 0.1F, 0}));
    CHECK(of_doubles({16777217, 3.4028235e38}) == vector({16777216, 3.4028235e38F}));
    CHECK_FALSE(of_doubles({1e39}).has_value());
    CHECK_FALSE(of_doubles({3.4028236e38}).has_value());
    CHECK_FALSE(of_doubles({infinite}).has_value());
    CHECK_FALSE(of_reals({std::numeric_limits<float>::quiet_NaN()}).has_value());
    CHECK_FALSE(of_reals({1, std::nullopt}).has_value());
    CHECK_FALSE(of_reals({}).has_value());
    CHECK(
        read_foreign_vector(VectorForm::real_array, 2, sent_array<float>({1, 2}, 5)) ==
        vector({1, 2})
    );
    CHECK_FALSE(read_foreign_vector(VectorForm::double_array, 1, sent_array<float>({1})));
    std::string matrix = sent_array<float>({1});
    matrix[3] = 2;
    CHECK_FALSE(read_foreign_vector(VectorForm::real_array, 1, matrix));
}

TEST_CASE("jsonb is read by its text", "[storage]") {
    const auto of_json = [](const std::string& text) {
        return read_foreign_vector(VectorForm::jsonb, 2, "\x01" + text);
    };
    CHECK(of_json("[1, -2.5]") == vector({1, -2.5F}));
    CHECK_FALSE(of_json("[1, null]").has_value());
    CHECK_FALSE(of_json("{\"a\": 1}").has_value());
    CHECK_FALSE(read_foreign_vector(VectorForm::jsonb, 2, "\x02[1, 2]").has_value());
    CHECK_FALSE(read_foreign_vector(VectorForm::jsonb, 2, "").has_value());
}
