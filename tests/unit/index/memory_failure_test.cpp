#include "tests/unit/index/failing_memory.hpp"
#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/values.hpp"

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

TEST_CASE("A search without memory says so, whichever allocation fails", "[index]") {
    const auto vectors = clustered(300, 4, 1);
    RouteIndex index{IndexOptions{
        .dimensions = 4,
        .m = 4,
        .ef_construction = 8,
        .columns = {veer::storage::ColumnType::int4}}};
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        const std::vector<veer::storage::ColumnValue> values{int4(static_cast<int>(i % 3))};
        REQUIRE(index.put(std::to_string(i), vectors[i], values).has_value());
    }
    index.publish();
    const std::vector<std::size_t> columns{0};
    const auto all_failing = [&](const auto& search, std::size_t want) {
        for (std::size_t after = 0;; ++after) {
            CAPTURE(after);
            bool failed = false;
            const Result<std::vector<Hit>> found = [&] {
                const FailingMemory failing{after};
                auto result = search();
                failed = FailingMemory::failed();
                return result;
            }();
            if (!failed) {
                REQUIRE(found.has_value());
                CHECK(found->size() == want);
                return;
            }
            // What it can do without, such as a look ahead, may be what has failed.
            REQUIRE(
                (found.has_value() ? found->size() == want : found.error() == Errc::out_of_memory)
            );
        }
    };
    all_failing(
        [&] { return index.search({.query = vectors[0], .k = 7, .ef = 20, .columns = columns}); }, 7
    );
    all_failing([&] { return index.search_exact({.query = vectors[0], .k = 7}); }, 7);
    const Filter one = equal(0, std::int64_t{1});
    all_failing(
        [&] {
            return index.search(
                {.query = vectors[0], .k = 7, .ef = 20, .filter = &one, .columns = columns}
            );
        },
        7
    );
}

TEST_CASE("Whichever allocation of a rebuild fails, the index answers as before", "[index]") {
    const auto vectors = clustered(40, 4, 1);
    RouteIndex index{IndexOptions{
        .dimensions = 4,
        .m = 4,
        .ef_construction = 8,
        .columns = {veer::storage::ColumnType::text}}};
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        const std::vector<veer::storage::ColumnValue> values{
            text("of a text that a string does not hold " + std::to_string(i))};
        REQUIRE(index.put(std::to_string(i), vectors[i], values).has_value());
    }
    index.publish();
    bool failed = true;
    for (std::size_t after = 0; failed; ++after) {
        CAPTURE(after);
        const std::uint64_t before = index.rebuilds();
        {
            const FailingMemory failing{after, FailingMemory::Of::others};
            index.request_rebuild();
            index.settle();
            failed = FailingMemory::failed();
        }
        REQUIRE((failed || index.rebuilds() == before + 1));
        REQUIRE_FALSE(index.rebuilding());
        const auto found = index.search_exact({.query = vectors[0], .k = 100});
        REQUIRE(found.has_value());
        REQUIRE(found->size() == vectors.size());
    }
    CHECK(index.missing_rows() == 0);
}

TEST_CASE("A transaction is published whichever allocation fails", "[index]") {
    const auto vectors = clustered(1100, 2, 1);
    bool failed = true;
    for (std::size_t after = 0; failed; ++after) {
        RouteIndex index{IndexOptions{.dimensions = 2, .m = 2, .ef_construction = 4}};
        for (std::size_t i = 0; i < vectors.size(); ++i) {
            REQUIRE(index.put(std::to_string(i), vectors[i]).has_value());
        }
        index.clear();
        REQUIRE(index.put("one", vectors[0]).has_value());
        {
            const FailingMemory failing{after};
            index.publish();  // and so is its upkeep, where there is memory for a thread
            failed = FailingMemory::failed();
        }
        CHECK(index.live_rows() == 1);
        index.settle();
        CHECK((failed || index.rebuilds() == 1));
    }
}

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
