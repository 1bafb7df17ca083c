#include "proxy/traffic_facts.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
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

TEST_CASE("Of many shapes those are shown that are searched most", "[proxy]") {
    router::PlanCache plans;
    std::vector<router::compare::ShapeRecord> shapes;
    for (std::uint64_t i = 0; i < 300; ++i) {
        const auto plan =
            plans.plan("SELECT c" + std::to_string(i) + " FROM docs ORDER BY e <-> $1 LIMIT 5");
        plan->tally->veer = i / 2;
        plan->tally->postgres = i - i / 2;
        router::compare::ShapeRecord record{.route = "", .shape = plan->shape_id, .k = 5};
        record.recall.add(i == 299 ? 1 : 0.5);
        shapes.push_back(record);
    }
    admin::Snapshot snapshot;
    add_queries(plans, router::RouteTable(), shapes, snapshot);
    REQUIRE(snapshot.queries.size() == 200);
    for (std::size_t i = 0; i < 200; ++i) {
        const admin::QueryFacts& facts = snapshot.queries[i];
        CHECK(facts.veer + facts.postgres == 299 - i);
        CHECK(facts.recall == (i == 0 ? 1 : 0.5));
    }
}

}  // namespace veer::proxy
