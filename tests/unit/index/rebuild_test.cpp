#include "index/rebuild.hpp"

#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>

using namespace veer::index;
using namespace veer::index::test;

namespace {

std::shared_ptr<Segment> segment_of(const Space& space) {
    auto segment = Segment::create(space, {.m = 4, .ef_construction = 16}, 4096);
    REQUIRE(segment.has_value());
    return *segment;
}

}  // namespace

TEST_CASE("A rebuild that catches up copies some rows at a time, and misses none", "[index]") {
    constexpr std::size_t most = 32;
    const Space space{Metric::l2, 4};
    const std::atomic<bool> going_on{false};
    const auto vectors = clustered(1500, 4, 1);
    const auto old = segment_of(space);
    const auto records = std::make_shared<Records>(
        std::vector<veer::storage::ColumnType>{}, 4096, std::shared_ptr<MemoryBudget>{}
    );
    std::set<std::string> alive;
    const auto add = [&](std::size_t row) {
        const std::string key = std::to_string(row);
        const auto added = old->add(key, vectors[row], 1);
        REQUIRE(added.has_value());
        REQUIRE((!added->needs_link || old->link_one(added->slot).has_value()));
        alive.insert(key);
        return added->slot;
    };
    for (std::size_t row = 0; row < 1000; ++row) {
        add(row);
    }
    const auto fresh = segment_of(space);
    Rebuild rebuild{old, fresh, RecordsCopy{records, records, 1}, 1};
    REQUIRE(rebuild.follow({1000, 0}, 1, going_on));
    std::vector<Slot> dead;
    const auto kill = [&](Slot slot) {
        old->kill(slot, 2);
        dead.push_back(slot);
        alive.erase(old->keys().get(slot));
    };
    for (std::size_t row = 1000; row < 1500; ++row) {
        const Slot slot = add(row);
        if (row % 3 == 0) {
            kill(row % 2 == 0 ? slot : static_cast<Slot>(row - 900));
        }
    }
    std::size_t slices = 0;
    for (Changes left{1500, 0, dead}; rebuild.left(left) > 0; left.dead.clear(), ++slices) {
        const std::size_t before = fresh->graph().size();
        REQUIRE(rebuild.follow(rebuild.first_of(left, most), 1, going_on));
        CHECK(fresh->graph().size() - before <= most);
    }
    CHECK(slices == (500 + most - 1) / most);
    std::set<std::string> copied;
    for (const auto& [key, slot] : rebuild.live()) {
        copied.emplace(key);
        CHECK(fresh->vector(slot)[0] == vectors[std::stoul(std::string(key))][0]);
    }
    CHECK(copied == alive);
}
