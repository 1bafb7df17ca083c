#include "index/space.hpp"

#include "index/sq8.hpp"
#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

using namespace veer::index;
using namespace veer::index::test;

namespace {

double reported(Metric metric, const std::vector<float>& a, const std::vector<float>& b) {
    return Space{metric, static_cast<std::uint32_t>(a.size())}.reported(a.data(), b.data());
}

}  // namespace

TEST_CASE("metric_of knows pgvector's operators and no other", "[index]") {
    CHECK(metric_of("<->") == Metric::l2);
    CHECK(metric_of("<=>") == Metric::cosine);
    CHECK(metric_of("<#>") == Metric::inner_product);
    CHECK(metric_of("<+>") == Metric::l1);
    CHECK(metric_of("<~>") == Metric::hamming);
    CHECK(metric_of("<%>") == Metric::jaccard);
    CHECK_FALSE(metric_of("<@>"));
    CHECK_FALSE(metric_of(""));
}

TEST_CASE("Reported distances are pgvector's", "[index]") {
    CHECK(reported(Metric::l2, {1, 2, 3}, {4, 6, 3}) == 5.0);
    CHECK(reported(Metric::l1, {1, 2, 3}, {4, 6, 3}) == 7.0);
    CHECK(std::isinf(reported(Metric::l1, {3e38F}, {-3e38F})));
    CHECK(reported(Metric::inner_product, {1, 2, 3}, {4, 5, 6}) == -32.0);
    CHECK(std::signbit(reported(Metric::inner_product, {1, 0}, {0, 1})));  // pgvector prints -0
    CHECK(reported(Metric::cosine, {1, 0}, {0, 2}) == 1.0);
    CHECK(reported(Metric::cosine, {1, 1}, {-1, -1}) == 2.0);
    CHECK(reported(Metric::cosine, {0.1F, 0.7F, 0.3F}, {0.1F, 0.7F, 0.3F}) == 0.0);
    CHECK(std::isnan(reported(Metric::cosine, {0, 0}, {1, 1})));
    CHECK(std::isinf(reported(Metric::l2, {3e38F}, {-3e38F})));
}

TEST_CASE("The walk's distance is never NaN", "[index]") {
    const Space space{Metric::inner_product, 2};
    const std::vector<float> a{3e38F, 3e38F, 0};
    const std::vector<float> b{3e38F, -3e38F, 0};
    CHECK_FALSE(std::isnan(space.walk(a.data(), b.data())));
}

TEST_CASE("check names what is wrong with a vector", "[index]") {
    const Space l2{Metric::l2, 2};
    const Space cosine{Metric::cosine, 2};
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(l2.check(std::vector<float>{1, 2}).has_value());
    CHECK(l2.check(std::vector<float>{0, 0}).has_value());
    CHECK(l2.check(std::vector<float>{3e38F, 3e38F}).has_value());
    CHECK(l2.check(std::vector<float>{1}).error() == Errc::wrong_dimensions);
    CHECK(l2.check(std::vector<float>{1, nan}).error() == Errc::not_finite);
    CHECK(l2.check(std::vector<float>{-infinity, 1}).error() == Errc::not_finite);
    CHECK(cosine.check(std::vector<float>{0, 0}).error() == Errc::zero_norm);
    CHECK(cosine.check(std::vector<float>{1e-30F, 0}).has_value());  // pgvector's norm is a double
    CHECK_FALSE(make_error_code(Errc::zero_norm).message().empty());
}

namespace {

Vector times(Vector vector, double factor) {
    std::transform(vector.begin(), vector.end(), vector.begin(), [&](float x) {
        return static_cast<float>(static_cast<double>(x) * factor);
    });
    return vector;
}

/// A code of Space, of a dense vector or of a sparse one of the same elements.
Vector code_of(const Space& space, const Vector& vector) {
    Vector elements;
    if (!space.fixed_size()) {
        elements.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(vector.size())));
        for (std::uint32_t i = 0; i < vector.size(); ++i) {
            elements.push_back(std::bit_cast<float>(i));
        }
    }
    elements.insert(elements.end(), vector.begin(), vector.end());
    Vector code(Space::code_floats(elements));
    space.encode(elements, code.data());
    return code;
}

}  // namespace

TEST_CASE("Under cosine the walk knows who is near, however long vectors are", "[index]") {
    using veer::storage::VectorKind;
    constexpr std::uint32_t dimensions = 40;
    const auto vectors = clustered(12, dimensions, 1);
    const auto kind = GENERATE(VectorKind::vector, VectorKind::sparsevec);
    const Space space{Metric::cosine, dimensions, kind};
    const double factors[] = {
        1e-40, 1e-38, 1e-30, 1e-22, 1e-19, 1e-16, 1, 1e15, 1e18, 1e19, 1e20, 1e30, 3e37};
    for (const double of_a : factors) {
        for (const double of_b : factors) {
            CAPTURE(of_a, of_b);
            const Vector a = code_of(space, times(vectors[0], of_a));
            const Vector plain = code_of(space, vectors[0]);
            for (std::size_t i = 1; i < vectors.size(); ++i) {
                const Vector b = code_of(space, times(vectors[i], of_b));
                const Vector plain_b = code_of(space, vectors[i]);
                // What has not the bits of a float any more (1e-40) is a little elsewhere.
                CHECK_THAT(
                    space.walk(a.data(), b.data()),
                    Catch::Matchers::WithinAbs(
                        static_cast<double>(space.walk(plain.data(), plain_b.data())),
                        std::min(of_a, of_b) < 1e-38 ? 1e-4 : 1e-6
                    )
                );
            }
        }
    }
}

TEST_CASE("Codes of vectors of any length are those of length one", "[index]") {
    constexpr std::uint32_t dimensions = 64;
    const Space space{Metric::cosine, dimensions};
    const auto vectors = clustered(50, dimensions, 1);
    std::vector<Vector> plain;
    std::vector<const float*> sample;
    for (const Vector& vector : vectors) {
        sample.push_back(plain.emplace_back(code_of(space, vector)).data());
    }
    const Sq8 sq8{space, sample};
    const auto coded = [&](const Vector& vector) {
        std::vector<std::int8_t> code(Sq8::code_bytes(dimensions));
        sq8.encode(code_of(space, vector).data(), code.data());
        return code;
    };
    for (const double factor : {1e-40, 1e-38, 1e-20, 1e19, 1e30, 3e37}) {
        for (std::size_t i = 1; i < vectors.size(); ++i) {
            CAPTURE(factor, i);
            const float distance = sq8.distance(coded(vectors[0]).data(), coded(vectors[i]).data());
            const float scaled = sq8.distance(
                coded(times(vectors[0], factor)).data(), coded(times(vectors[i], factor)).data()
            );
            CHECK_THAT(scaled, Catch::Matchers::WithinAbs(static_cast<double>(distance), 1e-3));
        }
    }
}

TEST_CASE("Rows of extreme lengths are found as pgvector's index finds them", "[index]") {
    const auto quantization = GENERATE(Quantization::none, Quantization::sq8);
    const IndexOptions options{
        .metric = Metric::cosine, .dimensions = 32, .quantization = quantization};
    const auto rows = clustered(2000, 32, 1);
    const double factors[] = {1e-30, 1e-20, 1, 1e19, 1e30};
    auto scaled = rows;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        scaled[i] = times(rows[i], factors[i % 5]);
    }
    RouteIndex plain{options};
    plain.load(entries(rows), 1);
    plain.publish();
    RouteIndex extreme{options};
    extreme.load(entries(scaled), 1);
    extreme.publish();
    std::size_t found = 0;
    for (const Vector& query : clustered(50, 32, 2)) {
        const auto truth = keys(plain.search_exact(query, 10));
        const auto answer = keys(extreme.search(times(query, 1e-30), 10, 100));
        found += static_cast<std::size_t>(std::count_if(
            truth.begin(),
            truth.end(),
            [&](const std::string& key) {
                return std::find(answer.begin(), answer.end(), key) != answer.end();
            }
        ));
    }
    CHECK(found >= 490);
}

TEST_CASE("Where the distance is no number, the nearest comes first", "[index]") {
    RouteIndex index{IndexOptions{.metric = Metric::cosine, .dimensions = 2}};
    constexpr float tiny = 1e-30F;
    for (int i = 9; i >= 0; --i) {
        REQUIRE(index.put(std::to_string(i), Vector{tiny, static_cast<float>(i) * tiny}));
    }
    index.publish();
    const auto hits = index.search(Vector{tiny, 0}, 10, 40);
    REQUIRE(hits.has_value());
    CHECK(std::isnan(hits->front().distance));
    CHECK(keys(hits) == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}
