#include "tests/bench/searched_set.hpp"

#include "index/space.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <random>
#include <thread>

namespace veer::bench {
namespace {

/// Raised when the recipe or the meaning of the cached figures changes.
constexpr int cache_version = 1;

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

const char* name_of(index::Metric metric) {
    switch (metric) {
        case index::Metric::l2:
            return "L2";
        case index::Metric::cosine:
            return "cosine";
        case index::Metric::inner_product:
            return "inner product";
        case index::Metric::l1:
            return "L1";
        case index::Metric::hamming:
            return "Hamming";
        case index::Metric::jaccard:
            return "Jaccard";
    }
    return "";
}

double kth_distance(
    const SearchedSet& set, const index::Space& space, const std::vector<float>& query
) {
    std::vector<double> nearest;  // heap, farthest first
    for (const auto& row : set.rows) {
        nearest.push_back(space.reported(query.data(), row.data()));
        std::push_heap(nearest.begin(), nearest.end());
        if (nearest.size() > neighbours) {
            std::pop_heap(nearest.begin(), nearest.end());
            nearest.pop_back();
        }
    }
    return nearest.front();
}

std::vector<double> computed(const SearchedSet& set) {
    const index::Space space{set.metric, static_cast<std::uint32_t>(set.dimensions())};
    std::vector<double> distances(set.queries.size());
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < distances.size(); i = next++) {
            distances[i] = kth_distance(set, space, set.queries[i]);
        }
    };
    std::thread other{work};
    work();
    other.join();
    return distances;
}

/// Fills in kth_distance, from the cache where it is there.
void find_truth(SearchedSet& set, const std::filesystem::path& cache) {
    std::filesystem::create_directories(cache);
    std::string file = set.name + " v" + std::to_string(cache_version);
    std::replace(file.begin(), file.end(), ' ', '_');
    const std::filesystem::path path = cache / (file + ".f64");
    const std::size_t bytes = set.queries.size() * sizeof(double);
    set.kth_distance.resize(set.queries.size());
    std::ifstream kept{path, std::ios::binary};
    kept.read(
        reinterpret_cast<char*>(set.kth_distance.data()), static_cast<std::streamsize>(bytes)
    );
    if (kept && kept.peek() == std::ifstream::traits_type::eof()) {
        return;
    }
    set.kth_distance = computed(set);
    std::ofstream{path, std::ios::binary}.write(
        reinterpret_cast<const char*>(set.kth_distance.data()), static_cast<std::streamsize>(bytes)
    );
}

std::string described(const SearchedSet& set, const std::string& origin) {
    return std::to_string(set.rows.size()) + " x " + std::to_string(set.dimensions()) + " " +
           name_of(set.metric) + ", " + origin + ", " + std::to_string(set.queries.size()) +
           " queries";
}

}  // namespace

SearchedSet made_up(const Recipe& recipe, const std::filesystem::path& cache) {
    SearchedSet set;
    set.metric = recipe.metric;
    set.rows = clustered(recipe.rows, recipe.dimensions, 2);
    set.queries = clustered(recipe.queries, recipe.dimensions, 3);
    set.name = described(set, "made up");
    find_truth(set, cache);
    return set;
}

SearchedSet real(
    const std::filesystem::path& directory,
    index::Metric metric,
    std::size_t queries_max,
    const std::filesystem::path& cache
) {
    SearchedSet set;
    set.metric = metric;
    set.rows = read_npy(directory / "base.npy", SIZE_MAX);
    set.queries = read_npy(directory / "query.npy", queries_max);
    set.name = described(set, directory.filename().string());
    find_truth(set, cache);
    return set;
}

}  // namespace veer::bench
