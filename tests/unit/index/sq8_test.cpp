#include "index/sq8.hpp"

#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace veer::index;
using namespace veer::index::test;

namespace {

/// Vectors and their codes under one space.
struct Encoded {
    Encoded(const Space& s, const std::vector<Vector>& rows) : space{s} {
        for (const Vector& row : rows) {
            vectors.emplace_back(space.code_floats());
            space.encode(row, vectors.back().data());
        }
        for (const auto& vector : vectors) {
            sample.push_back(vector.data());
        }
        sq8.emplace(space, sample);
        for (const auto& vector : vectors) {
            codes.emplace_back(Sq8::code_bytes(space.dimensions()));
            sq8->encode(vector.data(), codes.back().data());
        }
    }

    float exact(std::size_t a, std::size_t b) const {
        return space.walk(vectors[a].data(), vectors[b].data());
    }

    float approximate(std::size_t a, std::size_t b) const {
        return sq8->distance(codes[a].data(), codes[b].data());
    }

    Space space;
    std::vector<const float*> sample;
    std::optional<Sq8> sq8;
    std::vector<std::vector<float>> vectors;
    std::vector<std::vector<std::int8_t>> codes;
};

/// The largest difference from the exact distance, relative to the largest exact distance.
double worst(const Encoded& encoded) {
    double error = 0;
    double scale = 0;
    for (std::size_t a = 0; a < encoded.codes.size(); ++a) {
        for (std::size_t b = a + 1; b < encoded.codes.size(); ++b) {
            const auto exact = static_cast<double>(encoded.exact(a, b));
            const auto approximate = static_cast<double>(encoded.approximate(a, b));
            error = std::max(error, std::abs(exact - approximate));
            scale = std::max(scale, std::abs(exact));
        }
    }
    return error / scale;
}

}  // namespace

TEST_CASE("Distances of codes are those of vectors within two parts in a hundred", "[index]") {
    const Metric metric = GENERATE(Metric::l2, Metric::cosine, Metric::inner_product);
    for (const std::uint32_t dimensions : {1U, 7U, 64U, 100U, 384U, 1536U}) {
        const Encoded encoded{Space{metric, dimensions}, clustered(60, dimensions, 1)};
        CAPTURE(static_cast<int>(metric), dimensions, encoded.sq8->agreement(encoded.sample));
        CHECK(worst(encoded) < 0.02);
        if (dimensions > 1) {  // with one, all cosine distances are ties
            CHECK(encoded.sq8->agreement(encoded.sample) > 0.99);
        }
    }
}

TEST_CASE("Vectors far from the origin keep their differences", "[index]") {
    auto rows = clustered(60, 64, 1);
    for (Vector& row : rows) {
        std::transform(row.begin(), row.end(), row.begin(), [](float x) { return x + 1000; });
    }
    CHECK(worst(Encoded{Space{Metric::l2, 64}, rows}) < 0.02);
}

TEST_CASE("Near pairs have near codes: L2 and cosine errors shrink with the distance", "[index]") {
    const Metric metric = GENERATE(Metric::l2, Metric::cosine);
    auto rows = clustered(50, 128, 1);
    const std::size_t count = rows.size();
    for (std::size_t i = 0; i < count; ++i) {
        rows.push_back(rows[i]);
        rows.back()[i] += 0.01F;
    }
    const Encoded encoded{Space{metric, 128}, rows};
    for (std::size_t i = 0; i < count; ++i) {
        const float far = encoded.exact(i, (i + 1) % count);
        CHECK(
            std::abs(encoded.approximate(i, i + count) - encoded.exact(i, i + count)) < far / 200
        );
    }
}

TEST_CASE("One dimension that drowns the others shows in the agreement", "[index]") {
    auto rows = clustered(200, 64, 1);
    const Space space{Metric::l2, 64};
    const Encoded alike{space, rows};
    CHECK(alike.sq8->agreement(alike.sample) > 0.99);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i][5] = i % 2 == 0 ? 1e5F : -1e5F;
    }
    const Encoded drowned{space, rows};
    CHECK(drowned.sq8->agreement(drowned.sample) < 0.6);
}

TEST_CASE("Overflow, tiny and equal vectors have codes and distances that sort", "[index]") {
    const Metric metric = GENERATE(Metric::l2, Metric::cosine, Metric::inner_product);
    constexpr float huge = std::numeric_limits<float>::max();
    constexpr float tiny = std::numeric_limits<float>::denorm_min();
    const std::vector<Vector> rows{
        Vector(9, huge), Vector(9, -huge), Vector(9, tiny), Vector(9, 1), Vector(9, 1)};
    const Encoded encoded{Space{metric, 9}, rows};
    for (std::size_t a = 0; a < rows.size(); ++a) {
        for (std::size_t b = 0; b < rows.size(); ++b) {
            CHECK_FALSE(std::isnan(encoded.approximate(a, b)));
        }
    }
}

TEST_CASE("A value is the nearest number of steps, and the largest has the largest byte") {
    const std::vector<float> values{0, 2.54F, -2.54F, 1.26F, -0.029F, 0.031F};
    const float step = code_step(values);
    CHECK(std::abs(step - 0.02F) < 1e-6F);
    std::vector<std::int8_t> codes(values.size());
    quantise(values, step, codes.data());
    CHECK(codes == std::vector<std::int8_t>{0, 127, -127, 63, -1, 2});
}

TEST_CASE("Whatever overflow has made of a value, its byte is one of a code") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    // More than one block of them, so that the last is a part of one.
    std::vector<float> values(100, 1);
    values[0] = infinity;
    values[63] = -infinity;
    values[64] = std::numeric_limits<float>::quiet_NaN();
    values[99] = -1e30F;
    std::vector<std::int8_t> codes(values.size(), 1);
    quantise(values, 0.1F, codes.data());
    CHECK(codes[0] == 127);
    CHECK(codes[1] == 10);
    CHECK(codes[63] == -127);
    CHECK(std::abs(int{codes[64]}) <= 127);
    CHECK(codes[99] == -127);

    quantise(values, code_step(std::vector<float>(3, 0)), codes.data());  // no normal number
    CHECK(codes[1] == 0);
}
