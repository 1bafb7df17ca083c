#include "index/filter_strategy.hpp"
#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <random>

// Filtered searches of an index that is large enough to be walked, against a plain evaluation.

using namespace veer::index;
using namespace veer::index::test;
using veer::storage::ColumnType;

namespace {

using Values = std::vector<std::optional<FilterValue>>;

constexpr std::size_t count = 6000;
constexpr std::size_t dimensions = 64;
constexpr std::size_t k = 10;
constexpr std::size_t ef = 60;

const std::vector<ColumnType> types{ColumnType::int4, ColumnType::float8, ColumnType::text};

/// In three dimensions, however many they are written with: walks of so many rows miss none there.
std::vector<Vector> flat(std::size_t number, std::uint64_t seed) {
    auto vectors = clustered(number, 3, seed);
    for (Vector& vector : vectors) {
        for (std::size_t i = 3; i < dimensions; ++i) {
            vector.push_back(vector[i % 3] * (1 + static_cast<float>(i) / dimensions));
        }
    }
    return vectors;
}

Values drawn(std::mt19937_64& random) {
    const auto or_null = [&](FilterValue value) {
        return random() % 10 == 0 ? std::nullopt : std::optional{std::move(value)};
    };
    return {
        or_null(static_cast<std::int64_t>(random() % 100)),
        or_null(static_cast<double>(random() % 100) / 10),
        or_null(std::string(1, static_cast<char>('a' + random() % 4)))};
}

/// Of any share of the rows, from none to all.
Filter any_filter(std::mt19937_64& random, int depth) {
    if (depth > 0 && random() % 2 == 0) {
        std::vector<Filter> children{any_filter(random, depth - 1), any_filter(random, depth - 1)};
        switch (random() % 3) {
            case 0:
                return all_of(std::move(children));
            case 1:
                return any_of(std::move(children));
            default:
                return none_of(children[0]);
        }
    }
    const auto comparison = static_cast<Filter::Comparison>(random() % 6);
    switch (random() % 4) {
        case 0:
            return compare(0, comparison, static_cast<std::int64_t>(random() % 100));
        case 1:
            return compare(1, comparison, static_cast<double>(random() % 100) / 10);
        case 2:
            return equal(2, std::string(1, static_cast<char>('a' + random() % 5)));
        default:
            return is_null(random() % types.size());
    }
}

struct Rows {
    explicit Rows(Quantization quantization)
        : index{IndexOptions{
              .dimensions = dimensions,
              .ef_construction = 40,
              .quantization = quantization,
              .columns = types}} {
        for (std::size_t row = 0; row < count; ++row) {
            values.push_back(drawn(random));
            std::vector<veer::storage::ColumnValue> columns;
            for (std::size_t column = 0; column < types.size(); ++column) {
                columns.push_back(sent(types[column], values[row][column]));
            }
            REQUIRE(index.put(std::to_string(row), vectors[row], columns));
        }
        index.publish();
    }

    /// The distances of the nearest that pass, by looking at every row; and how many pass.
    std::pair<std::vector<double>, std::size_t> nearest(const Vector& query, const Filter& filter) {
        std::vector<double> distances;
        for (std::size_t row = 0; row < count; ++row) {
            if (truth(filter, values[row]) == true) {
                distances.push_back(index.distance(query, vectors[row]));
            }
        }
        const std::size_t passing = distances.size();
        std::sort(distances.begin(), distances.end());
        distances.resize(std::min(k, passing));
        return {distances, passing};
    }

    std::mt19937_64 random{1};
    std::vector<Vector> vectors = flat(count, 1);
    std::vector<Values> values;
    RouteIndex index;
};

}  // namespace

TEST_CASE("Walked or compared, a filtered search finds the nearest that pass", "[index]") {
    const auto quantization = GENERATE(Quantization::none, Quantization::sq8);
    Rows rows{quantization};
    const auto queries = flat(150, 2);
    std::size_t walked = 0;
    std::size_t compared = 0;
    std::size_t wanted = 0;
    std::size_t found = 0;
    for (const Vector& query : queries) {
        const Filter filter = any_filter(rows.random, 3);
        const auto [nearest, passing] = rows.nearest(query, filter);
        const std::vector<double>& truth_of_all = nearest;
        const auto hits = rows.index.search({.query = query, .k = k, .ef = ef, .filter = &filter});
        REQUIRE(hits.has_value());
        REQUIRE(hits->size() == truth_of_all.size());
        const bool coded = quantization == Quantization::sq8;
        const bool walks = worth_walking(
            {.matching = static_cast<double>(passing),
             .nodes = static_cast<double>(passing),
             .rows = static_cast<double>(count),
             .ef = ef,
             .code_lines = coded ? 2U : 5U}
        );
        (walks ? walked : compared) += 1;
        for (std::size_t i = 0; i < hits->size(); ++i) {
            const Hit& hit = (*hits)[i];
            const std::size_t row = std::stoul(hit.key);
            REQUIRE(truth(filter, rows.values[row]) == true);
            REQUIRE(hit.distance == rows.index.distance(query, rows.vectors[row]));
            REQUIRE((i == 0 || (*hits)[i - 1].distance <= hit.distance));
            REQUIRE((walks || coded || hit.distance == truth_of_all[i]));
        }
        wanted += truth_of_all.size();
        found +=
            static_cast<std::size_t>(std::count_if(hits->begin(), hits->end(), [&](const Hit& hit) {
                return hit.distance <= truth_of_all.back();
            }));
    }
    CAPTURE(walked, compared, wanted, found);
    CHECK(walked > 20);
    CHECK(compared > 20);
    CHECK(found * 1000 >= wanted * 998);
}
