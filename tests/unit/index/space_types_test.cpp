#include "index/elements.hpp"
#include "index/route_index.hpp"
#include "index/space.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>

// bit and sparsevec, against a plain formula.

using namespace veer::index;
using veer::storage::BitVector;
using veer::storage::SparseVector;
using veer::storage::Vector;
using veer::storage::VectorKind;

namespace {

constexpr std::uint32_t bits = 130;
constexpr std::uint32_t sparse_dimensions = 1'000'000'000;

Vector random_bits(std::mt19937& random) {
    BitVector drawn{bits, std::vector<std::uint64_t>(3)};
    for (std::uint32_t i = 0; i < bits; ++i) {
        drawn.words[i / 64] |= static_cast<std::uint64_t>(random() % 2) << i % 64;
    }
    return drawn;
}

Vector random_sparse(std::mt19937& random) {
    std::map<std::uint32_t, float> elements;
    for (std::size_t i = random() % 40; i > 0; --i) {
        const float value = static_cast<float>(random() % 2000) / 1000 - 1;
        elements[static_cast<std::uint32_t>(random() % 60) * 16'000'000] = value == 0 ? 1 : value;
    }
    SparseVector sparse{sparse_dimensions, {}, {}};
    for (const auto& [index, value] : elements) {
        sparse.indices.push_back(index);
        sparse.values.push_back(value);
    }
    return sparse;
}

/// Its elements by index, as doubles.
std::map<std::uint32_t, double> numbers(const Vector& vector) {
    std::map<std::uint32_t, double> all;
    if (const auto* const sparse = std::get_if<SparseVector>(&vector)) {
        for (std::size_t i = 0; i < sparse->indices.size(); ++i) {
            all[sparse->indices[i]] = static_cast<double>(sparse->values[i]);
        }
        return all;
    }
    for (std::uint32_t i = 0; i < bits; ++i) {
        all[i] = (std::get<BitVector>(vector).words[i / 64] >> i % 64 & 1U) != 0 ? 1 : 0;
    }
    return all;
}

double plain_distance(Metric metric, const Vector& a, const Vector& b) {
    std::map<std::uint32_t, double> x = numbers(a);
    std::map<std::uint32_t, double> y = numbers(b);
    std::set<std::uint32_t> indices;
    for (const auto& all : {x, y}) {
        for (const auto& [index, value] : all) {
            indices.insert(index);
        }
    }
    double dot = 0;
    double of_x = 0;
    double of_y = 0;
    double absolute = 0;
    double squares = 0;
    for (const std::uint32_t i : indices) {
        dot += x[i] * y[i];
        of_x += x[i] * x[i];
        of_y += y[i] * y[i];
        absolute += std::abs(x[i] - y[i]);
        squares += (x[i] - y[i]) * (x[i] - y[i]);
    }
    switch (metric) {
        case Metric::l2:
            return std::sqrt(squares);
        case Metric::cosine:
            return 1 - dot / std::sqrt(of_x * of_y);
        case Metric::inner_product:
            return -dot;
        case Metric::l1:
        case Metric::hamming:
            return absolute;
        case Metric::jaccard:
            return dot == 0 ? 1 : 1 - dot / (of_x + of_y - dot);
    }
    return 0;
}

struct Encoded {
    Encoded(const Space& space, const Vector& vector) {
        std::vector<float> memory;
        const std::span<const float> elements = elements_of(vector, memory);
        code.resize(Space::code_floats(elements));
        space.encode(elements, code.data());
    }

    std::vector<float> code;
};

Space space_of(Metric metric) {
    const bool of_bits = metric == Metric::hamming || metric == Metric::jaccard;
    const VectorKind kind = of_bits ? VectorKind::bit : VectorKind::sparsevec;
    return {metric, element_count(kind, of_bits ? bits : sparse_dimensions), kind};
}

Vector draw(Metric metric, std::mt19937& random) {
    return space_of(metric).fixed_size() ? random_bits(random) : random_sparse(random);
}

constexpr Metric metrics[] = {
    Metric::l2,
    Metric::cosine,
    Metric::inner_product,
    Metric::l1,
    Metric::hamming,
    Metric::jaccard};

}  // namespace

TEST_CASE("Distances of bits and of sparse vectors follow their formulas", "[index]") {
    std::mt19937 random{1};
    for (const Metric metric : metrics) {
        const Space space = space_of(metric);
        for (int round = 0; round < 300; ++round) {
            const Vector a = draw(metric, random);
            const Vector b = round % 10 == 0 ? a : draw(metric, random);
            const double wanted = plain_distance(metric, a, b);
            const Encoded x{space, a};
            const Encoded y{space, b};
            const double found = space.reported(x.code.data(), y.code.data());
            CAPTURE(static_cast<int>(metric), wanted, found);
            CHECK((std::isnan(wanted) ? std::isnan(found) : std::abs(found - wanted) <= 1e-5));
            const float walked = space.walk(x.code.data(), y.code.data());
            CHECK_FALSE(std::isnan(walked));
            if (metric != Metric::l2 && !std::isnan(wanted)) {
                CHECK(std::abs(static_cast<double>(walked) - wanted) <= 1e-4);
            }
        }
    }
}

TEST_CASE("Hamming and Jaccard are exact", "[index]") {
    std::mt19937 random{2};
    for (const Metric metric : {Metric::hamming, Metric::jaccard}) {
        const Space space = space_of(metric);
        for (int round = 0; round < 100; ++round) {
            const Vector a = random_bits(random);
            const Vector b = random_bits(random);
            const Encoded x{space, a};
            const Encoded y{space, b};
            CHECK(space.reported(x.code.data(), y.code.data()) == plain_distance(metric, a, b));
        }
    }
    const Space jaccard = space_of(Metric::jaccard);
    const Encoded zero{jaccard, BitVector{bits, {0, 0, 0}}};
    CHECK(jaccard.reported(zero.code.data(), zero.code.data()) == 1.0);
}

TEST_CASE("A sparse vector is checked for what it holds", "[index]") {
    std::vector<float> memory;
    const auto check = [&](Metric metric, const Vector& vector) {
        return space_of(metric).check(elements_of(vector, memory));
    };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(check(Metric::cosine, SparseVector{9, {3}, {1e-30F}}).has_value());
    CHECK(check(Metric::l2, SparseVector{9, {}, {}}).has_value());
    CHECK(check(Metric::cosine, SparseVector{9, {}, {}}).error() == Errc::zero_norm);
    CHECK(check(Metric::l2, SparseVector{9, {3}, {nan}}).error() == Errc::not_finite);
    CHECK(space_of(Metric::l2).check({}).error() == Errc::wrong_dimensions);
    const std::vector<float> cut = {std::bit_cast<float>(std::uint32_t{2}), 0, 1, 1};
    CHECK(space_of(Metric::l2).check(cut).error() == Errc::wrong_dimensions);
}

TEST_CASE("An index finds bits and sparse vectors, while they change", "[index]") {
    for (const Metric metric : metrics) {
        CAPTURE(static_cast<int>(metric));
        const Space space = space_of(metric);
        RouteIndex index{IndexOptions{
            .metric = metric,
            .dimensions = space.dimensions(),
            .kind = space.fixed_size() ? VectorKind::bit : VectorKind::sparsevec,
            .m = 6,
            .ef_construction = 16}};
        std::mt19937 random{4};
        std::map<std::string, Vector> rows;
        std::vector<float> memory;
        for (int i = 0; i < 1'600; ++i) {
            const std::string key = std::to_string(random() % 300);
            rows[key] = draw(metric, random);
            (void)index.put(key, elements_of(rows[key], memory));  // zero vectors have no slot
            index.publish();
        }
        for (int i = 0; i < 10; ++i) {
            Vector query = draw(metric, random);
            while (numbers(query).empty()) {
                query = draw(metric, random);
            }
            std::vector<double> all;
            for (const auto& [key, row] : rows) {
                const double distance = plain_distance(metric, query, row);
                if (!std::isnan(distance)) {
                    all.push_back(distance);
                }
            }
            std::sort(all.begin(), all.end());
            const auto hits = index.search(elements_of(query, memory), 10, 400).value();
            REQUIRE(hits.size() == 10);
            for (std::size_t rank = 0; rank < hits.size(); ++rank) {
                const double wanted = plain_distance(metric, query, rows.at(hits[rank].key));
                CHECK(std::abs(hits[rank].distance - wanted) <= 1e-5);
                CHECK(hits[rank].distance <= all[rank] + 1e-5);
            }
        }
    }
}

TEST_CASE("Sparse vectors take of the memory what they need", "[index]") {
    constexpr std::uint32_t count = 2000;  // of elements
    std::vector<float> memory;
    const auto sparse = [&](std::uint32_t row) {
        SparseVector vector{sparse_dimensions, {}, {}};
        for (std::uint32_t i = 0; i < count; ++i) {
            vector.indices.push_back(i * 3 + row);
            vector.values.push_back(static_cast<float>(i % 7) + 1);
        }
        return Vector{vector};
    };
    IndexOptions options{
        .metric = Metric::l2,
        .dimensions = element_count(VectorKind::sparsevec, sparse_dimensions),
        .kind = VectorKind::sparsevec,
        .m = 4};
    const std::uint64_t vectors = 100ULL * (1 + 2 * count) * sizeof(float);
    const auto fill = [&](RouteIndex& index) {
        for (std::uint32_t row = 0; row < 100; ++row) {
            (void)index.put(std::to_string(row), elements_of(sparse(row), memory));
        }
        index.publish();
    };
    {
        options.budget = std::make_shared<MemoryBudget>(2 * vectors);
        RouteIndex index{options};
        fill(index);
        CHECK(index.missing_rows() == 0);
        CHECK(index.memory_bytes() >= vectors);
        CHECK(options.budget->used() == index.memory_bytes());
    }
    {
        options.budget = std::make_shared<MemoryBudget>(vectors / 2);
        RouteIndex index{options};
        fill(index);
        CHECK(index.missing_rows() > 50);
        CHECK(index.missing_rows() < 60);
    }
    {
        options.budget = nullptr;
        options.memory_bytes_max = vectors / 2;
        RouteIndex index{options};
        fill(index);
        CHECK(index.missing_rows() > 50);
        CHECK(index.missing_rows() < 60);
    }
}
