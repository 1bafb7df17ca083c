#include "index/sign_codes.hpp"

#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

using namespace veer::index;
using namespace veer::index::test;

namespace {

/// Rows of one space in both codes.
struct Coded {
    Coded(const Space& s, const std::vector<Vector>& rows) : space{s} {
        for (const Vector& row : rows) {
            vectors.emplace_back(space.code_floats());
            space.encode(row, vectors.back().data());
        }
        std::vector<const float*> sample;
        for (const auto& vector : vectors) {
            sample.push_back(vector.data());
        }
        sq8.emplace(space, sample);
        signs.emplace(space, *sq8);
        for (const auto& vector : vectors) {
            codes.push_back(coded(vector));
            sign_codes.emplace_back(SignCodes::code_bytes(space.dimensions()));
            signs->encode(vector.data(), codes.back().data(), sign_codes.back().data());
        }
    }

    std::vector<std::int8_t> coded(const std::vector<float>& vector) const {
        std::vector<std::int8_t> code(Sq8::code_bytes(space.dimensions()));
        sq8->encode(vector.data(), code.data());
        return code;
    }

    std::vector<float> bounds(const Vector& asked) const {
        std::vector<float> query(space.code_floats());
        space.encode(asked, query.data());
        SignCodes::Query prepared;
        signs->prepare(query.data(), coded(query).data(), prepared);
        std::vector<float> bounds(vectors.size());
        for (std::size_t first = 0; first < bounds.size(); first += SignCodes::block) {
            std::vector<const std::byte*> some;
            for (std::size_t i = first; i < std::min(first + SignCodes::block, bounds.size());
                 ++i) {
                some.push_back(sign_codes[i].data());
            }
            signs->bounds(prepared, some, bounds.data() + first);
        }
        return bounds;
    }

    std::vector<float> distances(const Vector& asked) const {
        std::vector<float> query(space.code_floats());
        space.encode(asked, query.data());
        std::vector<float> exact;
        for (const auto& vector : vectors) {
            exact.push_back(space.walk(query.data(), vector.data()));
        }
        return exact;
    }

    Space space;
    std::optional<Sq8> sq8;
    std::optional<SignCodes> signs;
    std::vector<std::vector<float>> vectors;
    std::vector<std::vector<std::int8_t>> codes;
    std::vector<std::vector<std::byte>> sign_codes;
};

/// Of all pairs, those whose distance is below its bound, and those that bounds rule out once the
/// ten nearest are known; and how many of these ten they rule out.
struct Seen {
    double wrong = 0;
    double ruled_out = 0;
    double lost = 0;
};

Seen seen(const Coded& coded, const std::vector<Vector>& queries) {
    constexpr std::size_t near = 10;
    double wrong = 0;
    double out = 0;
    double lost = 0;
    for (const Vector& query : queries) {
        const std::vector<float> bounds = coded.bounds(query);
        const std::vector<float> exact = coded.distances(query);
        std::vector<float> sorted = exact;
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t i = 0; i < exact.size(); ++i) {
            wrong += exact[i] < bounds[i] - 1e-4F * std::abs(exact[i]) ? 1 : 0;
            out += bounds[i] >= sorted[near - 1] ? 1 : 0;
            lost += bounds[i] >= sorted[near - 1] && exact[i] < sorted[near - 1] ? 1 : 0;
        }
    }
    const auto pairs = static_cast<double>(queries.size() * coded.vectors.size());
    return {wrong / pairs, out / pairs, lost / static_cast<double>(queries.size() * near)};
}

}  // namespace

TEST_CASE("Bounds by signs hold for all but one row in a hundred, and rule most out", "[index]") {
    const Metric metric = GENERATE(Metric::l2, Metric::cosine, Metric::inner_product);
    for (const std::uint32_t dimensions : {100U, 384U, 768U}) {
        const Coded coded{Space{metric, dimensions}, clustered(400, dimensions, 1)};
        const Seen found = seen(coded, clustered(20, dimensions, 2));
        CAPTURE(static_cast<int>(metric), dimensions, found.wrong, found.ruled_out);
        CHECK(found.wrong < 0.01);
        CHECK(found.ruled_out > 0.5);
    }
}

TEST_CASE("Bounds by signs hold where a few dimensions have all the variance", "[index]") {
    auto rows = clustered(400, 384, 1);
    auto queries = clustered(20, 384, 2);
    for (auto* vectors : {&rows, &queries}) {
        for (Vector& vector : *vectors) {
            for (std::size_t i = 8; i < vector.size(); ++i) {
                vector[i] *= 0.01F;
            }
        }
    }
    const Seen found = seen(Coded{Space{Metric::l2, 384}, rows}, queries);
    CAPTURE(found.wrong, found.ruled_out);
    CHECK(found.wrong < 0.02);
    CHECK(found.ruled_out > 0.5);
}

/// Two embeddings in one vector: one whose clusters lie far apart, and one that is mostly noise.
std::vector<Vector> concatenated(std::size_t count, std::uint32_t dimensions, unsigned seed) {
    constexpr std::size_t clusters = 6;
    std::mt19937 centre_random{7};
    std::mt19937 random{seed};
    std::normal_distribution<float> normal;
    const auto drawn = [&](std::mt19937& from, std::size_t i, float first, float second) {
        return normal(from) * (i < dimensions / 2 ? first : second);
    };
    std::vector<Vector> centres(clusters, Vector(dimensions));
    for (Vector& centre : centres) {
        for (std::size_t i = 0; i < dimensions; ++i) {
            centre[i] = drawn(centre_random, i, 1, 0.05F);
        }
    }
    std::vector<Vector> vectors(count, Vector(dimensions));
    for (Vector& vector : vectors) {
        const Vector& centre = centres[random() % clusters];
        for (std::size_t i = 0; i < dimensions; ++i) {
            vector[i] = centre[i] + drawn(random, i, 0.12F, 0.25F);
        }
    }
    return vectors;
}

// These are the counts of dimensions in whose transform the two halves share the least.
TEST_CASE("Bounds by signs hold where one half of a vector says more than the other", "[index]") {
    for (const std::uint32_t dimensions : {1536U, 1980U, 4000U}) {
        const Coded coded{Space{Metric::l2, dimensions}, concatenated(300, dimensions, 1)};
        const Seen found = seen(coded, concatenated(20, dimensions, 2));
        CAPTURE(dimensions, found.wrong, found.ruled_out, found.lost);
        CHECK(found.wrong < 0.01);
        CHECK(found.ruled_out > 0.5);
        CHECK(found.lost < 0.01);
    }
}

TEST_CASE("Signs of vectors that are all alike say that each may be nearest", "[index]") {
    const std::uint32_t dimensions = GENERATE(1U, 63U, 64U, 65U, 200U);
    const Coded coded{Space{Metric::l2, dimensions}, std::vector<Vector>(3, Vector(dimensions, 2))};
    for (const float bound : coded.bounds(Vector(dimensions, 2))) {
        CHECK(bound <= 1e-3F);
    }
}
