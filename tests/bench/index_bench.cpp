// How many searches a second does one thread make, at which recall?
//
//     index_bench [rows] [dimensions] [builders]

#include "index/kernels.hpp"
#include "index/route_index.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace veer::index;
using Clock = std::chrono::steady_clock;
using Vectors = std::vector<std::vector<float>>;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Rows about 200 centres that vary in 32 directions and a little in all, as embeddings do: of many
/// dimensions, few are free.
Vectors clustered(std::size_t count, std::size_t dimensions, std::uint64_t seed) {
    std::mt19937_64 fixed{1};
    std::normal_distribution<float> normal;
    const auto drawn = [&](std::mt19937_64& random, std::size_t size) {
        std::vector<float> vector(size);
        std::generate(vector.begin(), vector.end(), [&] { return normal(random); });
        return vector;
    };
    Vectors centres(200);
    Vectors directions(32);
    for (auto& centre : centres) {
        centre = drawn(fixed, directions.size());
    }
    for (auto& direction : directions) {
        direction = drawn(fixed, dimensions);
    }
    std::mt19937_64 random{seed};
    Vectors vectors(count);
    for (auto& vector : vectors) {
        vector = drawn(random, dimensions);
        const auto& centre = centres[random() % centres.size()];
        const auto own = drawn(random, directions.size());
        for (std::size_t i = 0; i < directions.size(); ++i) {
            const float weight = centre[i] + 0.7F * own[i];
            std::transform(
                vector.begin(),
                vector.end(),
                directions[i].begin(),
                vector.begin(),
                [&](float x, float direction) { return x + weight * direction; }
            );
        }
    }
    return vectors;
}

double share_found(const RouteIndex& index, const Vectors& queries, std::size_t ef) {
    std::size_t found = 0;
    std::size_t wanted = 0;
    for (const auto& query : queries) {
        const auto truth = index.search_exact(query, 10);
        const auto answer = index.search(query, 10, ef);
        for (const Hit& hit : *truth) {
            wanted += 1;
            found += std::any_of(answer->begin(), answer->end(), [&](const Hit& other) {
                return other.key == hit.key;
            });
        }
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
}

double searches_per_second(const RouteIndex& index, const Vectors& queries, std::size_t ef) {
    std::size_t searches = 0;
    const auto start = Clock::now();
    while (seconds_since(start) < 2.0) {
        for (const auto& query : queries) {
            (void)index.search(query, 10, ef);
        }
        searches += queries.size();
    }
    return static_cast<double>(searches) / seconds_since(start);
}

std::size_t argument(int count, char** values, int position, std::size_t otherwise) {
    return count > position ? std::strtoull(values[position], nullptr, 10) : otherwise;
}

}  // namespace

int main(int count, char** values) {
    const std::size_t rows = argument(count, values, 1, 50'000);
    const std::size_t dimensions = argument(count, values, 2, 384);
    const auto builders = static_cast<unsigned>(argument(count, values, 3, 2));
    const Vectors vectors = clustered(rows, dimensions, 2);
    const Vectors queries = clustered(1000, dimensions, 3);
    std::vector<RouteIndex::Entry> entries;
    for (const auto& vector : vectors) {
        entries.push_back({std::to_string(entries.size()), vector});
    }
    for (const Metric metric : {Metric::l2, Metric::cosine}) {
        RouteIndex index{IndexOptions{
            .metric = metric,
            .dimensions = static_cast<std::uint32_t>(dimensions),
            .expected_rows = rows}};
        const auto start = Clock::now();
        index.load(entries, builders);
        index.publish();
        std::printf(
            "%s, %zu x %zu, %s kernels, built in %.1f s by %u\n",
            metric == Metric::l2 ? "L2" : "cosine",
            rows,
            dimensions,
            best_kernels().name,
            seconds_since(start),
            builders
        );
        for (const std::size_t ef : {40U, 100U, 200U}) {
            const double found = share_found(index, {queries.begin(), queries.begin() + 100}, ef);
            const double speed = searches_per_second(index, queries, ef);
            std::printf("  ef %3zu  recall@10 %.4f  %8.0f searches/s\n", ef, found, speed);
        }
    }
    return 0;
}
