#include "tests/unit/index/generated.hpp"

#include <algorithm>
#include <random>

namespace veer::index::test {

std::vector<Vector> clustered(std::size_t count, std::size_t dimensions, std::uint64_t seed) {
    // The centres do not depend on the seed: queries of one seed lie among rows of another.
    std::mt19937_64 fixed{42};
    std::normal_distribution<float> normal{0.0F, 1.0F};
    std::vector<Vector> centres(20, Vector(dimensions));
    for (Vector& centre : centres) {
        std::generate(centre.begin(), centre.end(), [&] { return normal(fixed); });
    }
    std::mt19937_64 random{seed};
    std::vector<Vector> vectors(count, Vector(dimensions));
    for (Vector& vector : vectors) {
        const Vector& centre = centres[random() % centres.size()];
        for (std::size_t i = 0; i < dimensions; ++i) {
            vector[i] = centre[i] + 0.6F * normal(random);
        }
    }
    return vectors;
}

std::vector<RouteIndex::Entry> entries(const std::vector<Vector>& vectors, std::size_t first) {
    std::vector<RouteIndex::Entry> all;
    all.reserve(vectors.size());
    for (const Vector& vector : vectors) {
        all.push_back({std::to_string(first + all.size()), vector});
    }
    return all;
}

double recall(
    const RouteIndex& index, const std::vector<Vector>& queries, std::size_t k, std::size_t ef
) {
    std::size_t found = 0;
    std::size_t wanted = 0;
    for (const Vector& query : queries) {
        const std::vector<std::string> truth = keys(index.search_exact(query, k));
        const std::vector<std::string> answer = keys(index.search(query, k, ef));
        wanted += truth.size();
        found += static_cast<std::size_t>(std::count_if(
            truth.begin(),
            truth.end(),
            [&](const std::string& key) {
                return std::find(answer.begin(), answer.end(), key) != answer.end();
            }
        ));
    }
    return wanted == 0 ? 0 : static_cast<double>(found) / static_cast<double>(wanted);
}

std::vector<std::string> keys(const Result<std::vector<Hit>>& hits) {
    std::vector<std::string> names;
    if (hits) {
        for (const Hit& hit : *hits) {
            names.push_back(hit.key);
        }
    }
    return names;
}

}  // namespace veer::index::test
