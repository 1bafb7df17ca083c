#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>

using namespace veer::index;
using namespace veer::index::test;

namespace {

const RouteIndex& filled() {
    static RouteIndex index{IndexOptions{.metric = Metric::l2, .dimensions = 16}};
    static const bool once = [] {
        index.load(entries(clustered(1500, 16, 1)), 1);
        index.publish();
        return true;
    }();
    (void)once;
    return index;
}

const Vector& query() {
    static const Vector vector = clustered(1, 16, 2).front();
    return vector;
}

}  // namespace

TEST_CASE("A search within its limits answers as one without", "[index]") {
    const std::atomic<bool> cancelled{false};
    const SearchLimits limits{
        .visits_max = 100'000,
        .cancelled = &cancelled,
        .deadline = std::chrono::steady_clock::now() + std::chrono::hours{1}};
    CHECK(
        keys(filled().search(query(), 10, 100, limits)) == keys(filled().search(query(), 10, 100))
    );
}

TEST_CASE("A search past its visits, its deadline or a cancel is an error", "[index]") {
    const std::atomic<bool> cancelled{true};
    const SearchLimits few{.visits_max = 50};
    const SearchLimits stopped{.cancelled = &cancelled};
    const SearchLimits late{.deadline = std::chrono::steady_clock::time_point::min()};
    CHECK(filled().search(query(), 10, 100, few).error() == Errc::too_many_visits);
    CHECK(filled().search(query(), 10, 100, stopped).error() == Errc::cancelled);
    CHECK(filled().search(query(), 10, 100, late).error() == Errc::late);
    CHECK(filled().search_exact(query(), 10, few).error() == Errc::too_many_visits);
    CHECK(filled().search_exact(query(), 10, stopped).error() == Errc::cancelled);
    CHECK(filled().search_exact(query(), 10, late).error() == Errc::late);
}
