#include "proxy/traffic_facts.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

namespace veer::proxy {

TEST_CASE("What the comparisons of a shape prove is not worked out", "[proxy]") {
    router::compare::ShapeRecord record{.route = "docs", .shape = 7, .k = 10};
    record.recall.add(0.9);
    record.pg_recall.add(1);
    admin::Snapshot snapshot;
    add_shapes(std::vector(3, record), snapshot);
    REQUIRE(snapshot.recalls.size() == 6);
    for (const admin::RecallFacts& facts : snapshot.recalls) {
        CHECK_FALSE(facts.fingerprint.empty());
        CHECK(facts.lower_99 == nullptr);
    }
}

}  // namespace veer::proxy
