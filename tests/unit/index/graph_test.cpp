#include "index/segment.hpp"
#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <iterator>

using namespace veer::index;
using namespace veer::index::test;

namespace {

std::vector<float> encoded(const Space& space, const Vector& vector) {
    std::vector<float> code(space.code_floats());
    space.encode(vector, code.data());
    return code;
}

std::shared_ptr<Segment> built(
    const Space& space, const std::vector<Vector>& rows, const GraphOptions& options = {}
) {
    auto segment = Segment::create(space, options, rows.size());
    REQUIRE(segment.has_value());
    std::vector<Slot> nodes;
    for (const Vector& row : rows) {
        const auto added = (*segment)->add("key", row, 1);
        REQUIRE(added.has_value());
        if (added->needs_link) {
            nodes.push_back(added->slot);
        }
    }
    REQUIRE((*segment)->link(nodes, 1) == 0);
    return *segment;
}

/// How many rows a walk with a narrow ef finds when asked for exactly them.
std::size_t reachable(const Space& space, const Segment& segment, const std::vector<Vector>& rows) {
    std::size_t count = 0;
    std::vector<Found> found;
    for (const Vector& row : rows) {
        const std::vector<float> code = encoded(space, row);
        REQUIRE(segment.graph()
                    .search(code.data(), 40, 40, segment.versions(), 1, {}, found)
                    .has_value());
        count +=
            std::any_of(found.begin(), found.end(), [](Found hit) { return hit.distance == 0; });
    }
    return count;
}

/// The slots that a walk finds.
std::vector<Slot> walked(const Space& space, const Segment& segment, const Vector& query) {
    std::vector<Found> found;
    const std::vector<float> code = encoded(space, query);
    REQUIRE(
        segment.graph().search(code.data(), 30, 30, segment.versions(), 1, {}, found).has_value()
    );
    std::vector<Slot> slots;
    std::transform(found.begin(), found.end(), std::back_inserter(slots), [](Found hit) {
        return hit.slot;
    });
    return slots;
}

}  // namespace

TEST_CASE("500 identical vectors do not hide 500 others", "[index]") {
    const Space space{Metric::l2, 16};
    std::vector<Vector> rows = clustered(500, 16, 1);
    const std::vector<Vector> others = clustered(500, 16, 2);
    std::fill(rows.begin(), rows.end(), Vector(rows.front()));
    rows.insert(rows.end(), others.begin(), others.end());
    const auto segment = built(space, rows);
    CHECK(reachable(space, *segment, others) == 500);
}

TEST_CASE("No row loses its last link while rows crowd around its neighbours", "[index]") {
    const Space space{Metric::l2, 16};
    const auto rows = clustered(3000, 16, 1);
    const auto segment = built(space, rows, GraphOptions{.m = 8});
    const std::vector<float> code = encoded(space, rows.front());
    std::vector<Found> found;
    REQUIRE(segment->graph()
                .search(code.data(), rows.size(), rows.size(), segment->versions(), 1, {}, found)
                .has_value());
    CHECK(found.size() == rows.size());
}

TEST_CASE("Identical vectors all come out of a walk that is wide enough", "[index]") {
    const Space space{Metric::cosine, 8};
    std::vector<Vector> rows = clustered(300, 8, 1);
    rows.insert(rows.end(), 50, rows.front());
    const auto segment = built(space, rows);
    const std::vector<float> code = encoded(space, rows.front());
    std::vector<Found> found;
    REQUIRE(
        segment->graph().search(code.data(), 51, 51, segment->versions(), 1, {}, found).has_value()
    );
    CHECK(std::count_if(found.begin(), found.end(), [](Found hit) {
              return hit.slot == 0 || hit.slot >= 300;
          }) == 51);
}

TEST_CASE("A graph grows in place and finds what it found before", "[index]") {
    const Space space{Metric::l2, 16};
    const auto rows = clustered(1000, 16, 1);
    const auto segment = built(space, rows);
    const float* const first = segment->graph().code(0);
    std::vector<std::vector<Slot>> before;
    const auto queries = clustered(20, 16, 2);
    before.reserve(queries.size());
    for (const Vector& query : queries) {
        before.push_back(walked(space, *segment, query));
    }
    REQUIRE(segment->reserve(200'000));
    CHECK(segment->graph().capacity() == 200'000);
    CHECK(segment->graph().code(0) == first);
    for (std::size_t i = 0; i < queries.size(); ++i) {
        CHECK(walked(space, *segment, queries[i]) == before[i]);
    }
}

TEST_CASE("A segment says when it cannot grow", "[index]") {
    const Space space{Metric::l2, 16};
    const auto segment = Segment::create(space, GraphOptions{}, 10);
    REQUIRE(segment.has_value());
    const auto refused = (*segment)->reserve(std::size_t{1} << 40);
    REQUIRE(refused.has_error());
    CHECK(refused.error() == Errc::out_of_memory);
    CHECK((*segment)->add("key", Vector(16, 1.0F), 1).has_value());
}

TEST_CASE("An empty graph finds nothing", "[index]") {
    const Space space{Metric::l2, 2};
    const auto segment = Segment::create(space, GraphOptions{}, 10);
    REQUIRE(segment.has_value());
    std::vector<Found> found{Found{}};
    const std::vector<float> code{0, 0, 0};
    REQUIRE((*segment)
                ->graph()
                .search(code.data(), 10, 10, (*segment)->versions(), 1, {}, found)
                .has_value());
    CHECK(found.empty());
}

TEST_CASE("Every m of pgvector builds a graph", "[index]") {
    const Space space{Metric::l2, 8};
    const auto rows = clustered(400, 8, 1);
    for (const std::uint32_t m : {0U, 2U, 100U, 1000U}) {
        const auto segment = Segment::create(space, GraphOptions{.m = m}, rows.size());
        REQUIRE(segment.has_value());
        std::vector<Slot> nodes;
        nodes.reserve(rows.size());
        for (const Vector& row : rows) {
            nodes.push_back((*segment)->add("key", row, 1)->slot);
        }
        CHECK((*segment)->link(nodes, 1) == 0);
    }
}
