#include "tests/unit/index/failing_memory.hpp"
#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>
#include <new>

using namespace veer::index;
using namespace veer::index::test;

namespace {

/// Whether the row is in, with the allocation after so many others failing.
bool put_failing(
    RouteIndex& index, const std::string& key, const Vector& vector, std::size_t after
) {
    const FailingMemory failing{after};
    try {
        return index.put(key, vector).has_value() && !FailingMemory::failed();
    } catch (const std::bad_alloc&) {
        return false;
    }
}

}  // namespace

TEST_CASE("Whichever allocation fails, keys and vectors stay together", "[index]") {
    RouteIndex index{IndexOptions{.dimensions = 4, .m = 4, .ef_construction = 8}};
    std::map<std::string, Vector> model;
    const auto vectors = clustered(300, 4, 1);
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        // Long enough to need memory of its own; some come again, some have another's vector.
        const std::string key =
            "a key that is longer than a string holds " + std::to_string(i % 90);
        const Vector& vector = vectors[i % 7 == 0 ? i / 2 : i];
        for (std::size_t after = 0; !put_failing(index, key, vector, after); ++after) {
        }
        model[key] = vector;
        index.publish();
    }
    const Vector origin(4, 0);
    const auto found = index.search_exact(origin, 1000);
    REQUIRE(found.has_value());
    CHECK(found->size() == model.size());
    for (const Hit& hit : *found) {
        const auto row = model.find(hit.key);
        REQUIRE(row != model.end());
        CHECK(hit.distance == index.distance(row->second, origin));
    }
}
