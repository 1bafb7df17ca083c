#include "index/upkeep.hpp"

#include "index/graph_store.hpp"
#include "index/neighbours.hpp"
#include "index/reach.hpp"
#include "tests/unit/index/generated.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <filesystem>
#include <map>
#include <new>
#include <random>
#include <thread>

using namespace veer::index;
using namespace veer::index::test;

namespace {

using Model = std::map<std::string, Vector>;

void check_equal(const RouteIndex& index, const Model& model) {
    const auto found = index.search_exact(Vector(8, 0), model.size() + 100);
    REQUIRE(found.has_value());
    REQUIRE(found->size() == model.size());
    for (const Hit& hit : *found) {
        const auto row = model.find(hit.key);
        REQUIRE(row != model.end());
        REQUIRE(hit.distance == index.distance(row->second, Vector(8, 0)));
    }
}

/// Replaces one in five of `rows`, all under new vectors, each round others.
void replace_fifth(RouteIndex& index, std::vector<Vector>& rows, std::size_t round) {
    const auto fresh = clustered(rows.size(), rows[0].size(), 100 + round);
    for (std::size_t i = round % 5; i < rows.size(); i += 5) {
        rows[i] = fresh[i];
        REQUIRE(index.put(std::to_string(i), rows[i]));
    }
    index.publish();
}

}  // namespace

TEST_CASE("An index is built anew when somebody wants it, and answers as before", "[index]") {
    RouteIndex index{IndexOptions{.dimensions = 8, .m = 6, .ef_construction = 16}};
    const auto vectors = clustered(2000, 8, 1);
    Model model;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        model[std::to_string(i)] = vectors[i];
        REQUIRE(index.put(std::to_string(i), vectors[i]));
    }
    index.publish();
    index.settle();
    REQUIRE(index.rebuilds() == 0);  // nothing of it is worn
    index.request_rebuild();
    index.settle();
    CHECK(index.rebuilds() == 1);
    CHECK_FALSE(index.rebuilding());
    CHECK(index.upkeep_trouble().empty());
    check_equal(index, model);
    REQUIRE(index.put("new", vectors[0]));
    model["new"] = vectors[0];
    index.publish();
    index.settle();
    CHECK(index.rebuilds() == 1);  // once for each time
    check_equal(index, model);
    index.stop_upkeep();
    index.request_rebuild();  // too late, and no harm
    index.settle();
    CHECK(index.rebuilds() == 1);
}

TEST_CASE("A rebuild misses nothing that the writer does meanwhile", "[index]") {
    // In a file, so that it is exchanged with the rest.
    RouteIndex index{IndexOptions{
        .dimensions = 8,
        .m = 6,
        .ef_construction = 16,
        .quantization = Quantization::sq8,
        .vector_file = {std::filesystem::temp_directory_path()}}};
    std::mt19937 random{1};
    const auto vectors = clustered(5000, 8, 1);
    Model model;
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> wrong{0};
    // The row "fixed" moves in every transaction and is there exactly once for every search.
    REQUIRE(index.put("fixed", vectors[0]));
    index.publish();
    std::thread reader{[&] {
        while (!stop) {
            const auto found = index.search_exact(vectors[0], index.live_rows() + 1000);
            const auto count =
                !found ? 0 : std::count_if(found->begin(), found->end(), [](auto& hit) {
                    return hit.key == "fixed";
                });
            wrong += count == 1 ? 0U : 1U;
        }
    }};
    for (std::size_t step = 0; index.rebuilds() < 2; ++step) {
        const std::string key = std::to_string(random() % 700);
        if (random() % 4 == 0) {
            index.erase(key);
            model.erase(key);
        } else {
            const Vector& vector = vectors[random() % vectors.size()];
            wrong += index.put(key, vector) ? 0U : 1U;
            model[key] = vector;
        }
        if (step % 7 == 0) {
            model["fixed"] = vectors[step % vectors.size()];
            REQUIRE(index.put("fixed", model["fixed"]));
            index.publish();
        }
        if (step == 1500) {
            index.clear();
            model.clear();
            model["fixed"] = vectors[1];
            REQUIRE(index.put("fixed", vectors[1]));
        }
    }
    index.publish();
    stop = true;
    reader.join();
    CHECK(wrong == 0);
    check_equal(index, model);
    index.settle();
    check_equal(index, model);
    CHECK(index.missing_rows() == 0);
}

TEST_CASE("Ten rounds of replacing a fifth of the rows keep recall and memory", "[index]") {
    auto rows = clustered(5500, 4, 1);
    const IndexOptions options{.dimensions = 4, .m = 6, .ef_construction = 16};
    RouteIndex index{options};
    index.load(entries(rows), 1);
    index.publish();
    const auto queries = clustered(200, 4, 2);
    for (std::size_t round = 0; round < 10; ++round) {
        replace_fifth(index, rows, round);
        index.settle();
        CHECK(index.live_rows() == rows.size());
        CHECK(index.dead_slots() * 5 <= index.live_rows());
    }
    RouteIndex fresh{options};
    fresh.load(entries(rows), 1);
    fresh.publish();
    CHECK(index.rebuilds() >= 5);
    CHECK(recall(index, queries, 10, 40) >= recall(fresh, queries, 10, 40) - 0.01);
    CHECK(
        static_cast<double>(index.memory_bytes()) <=
        1.2 * static_cast<double>(fresh.memory_bytes()) + 100'000
    );
}

TEST_CASE(
    "A rebuild without memory is said, leaves the index alone, and is made later", "[index]"
) {
    auto rows = clustered(4000, 8, 1);
    const auto budget = std::make_shared<MemoryBudget>(memory_estimate(8000, 8, 6));
    RouteIndex index{
        IndexOptions{.dimensions = 8, .m = 6, .ef_construction = 16, .budget = budget}};
    index.load(entries(rows), 1);
    index.publish();
    replace_fifth(index, rows, 0);
    index.settle();
    CHECK(index.upkeep_trouble().empty());
    replace_fifth(index, rows, 1);
    index.settle();
    CHECK(index.rebuilds() == 0);
    CHECK(index.upkeep_trouble().find("bytes") != std::string::npos);
    CHECK(index.missing_rows() == 0);
    CHECK(index.live_rows() == 4000);
    for (std::size_t i = 1000; i < 4000; ++i) {
        index.erase(std::to_string(i));
    }
    index.publish();  // what is left has room
    index.settle();
    CHECK(index.rebuilds() == 1);
    CHECK(index.upkeep_trouble().empty());
    CHECK(index.dead_slots() == 0);
    CHECK(budget->used() == index.memory_bytes());
}

TEST_CASE("An index can go while it is being rebuilt", "[index]") {
    auto rows = clustered(5500, 8, 1);
    const auto budget = std::make_shared<MemoryBudget>(std::uint64_t{1} << 40U);
    {
        RouteIndex index{
            IndexOptions{.dimensions = 8, .m = 6, .ef_construction = 16, .budget = budget}};
        index.load(entries(rows), 2);
        index.publish();
        replace_fifth(index, rows, 0);
        replace_fifth(index, rows, 1);
    }
    CHECK(budget->used() == 0);
}

TEST_CASE("A node that no path leads to is found and linked again", "[index]") {
    constexpr std::size_t count = 600;
    const auto rows = clustered(count, 4, 5);
    const Space space{Metric::l2, 4};
    GraphStore store{space, 4, count};
    REQUIRE(store.reserve(count));
    const OverVectors measure{store};
    Neighbours<OverVectors> neighbours{measure, store.links(), 4};
    std::vector<Found> nearby;
    for (Slot slot = 0; slot < count; ++slot) {
        REQUIRE(store.append(rows[slot], 0) == slot);
        nearby.clear();
        for (Slot other = 0; other < slot; ++other) {
            nearby.push_back({measure.distance(measure.code(slot), measure.code(other)), other});
        }
        neighbours.connect(slot, 0, nearby);
    }
    const std::atomic<bool> stopping{false};
    REQUIRE(Reach{store.links(), 0, count}.next_lost(stopping) == no_slot);
    // An island of two that lead to each other only.
    Links links;
    for (Slot slot = 0; slot < count; ++slot) {
        LinkList list = store.links().at(slot, 0);
        const std::size_t had = list.read(links);
        const auto end = std::remove_if(
            links.begin(),
            links.begin() + static_cast<std::ptrdiff_t>(had),
            [](Slot link) { return link == 300 || link == 301; }
        );
        list.write({links.data(), static_cast<std::size_t>(end - links.begin())}, 0);
    }
    const Slot islanders[] = {300, 301};
    store.links().at(300, 0).write({islanders + 1, 1}, 0);
    store.links().at(301, 0).write({islanders, 1}, 0);
    Reach reach{store.links(), 0, count};
    REQUIRE(reach.next_lost(stopping) == 300);
    REQUIRE(reach.next_lost(stopping) == no_slot);  // 301 comes with it
    nearby.clear();
    for (Slot other = 0; other < 200; ++other) {
        nearby.push_back({measure.distance(measure.code(300), measure.code(other)), other});
    }
    neighbours.reconnect(300, nearby);
    CHECK(Reach{store.links(), 0, count}.next_lost(stopping) == no_slot);
    const auto kept = static_cast<std::ptrdiff_t>(store.links().at(300, 0).read(links));
    CHECK(std::count(links.begin(), links.begin() + kept, Slot{301}) == 1);
}

TEST_CASE("Upkeep that finds no memory runs at the next request", "[index]") {
    std::atomic<int> runs{0};
    Upkeep upkeep{[&](const std::atomic<bool>&) -> std::chrono::milliseconds {
        if (++runs == 1) {
            throw std::bad_alloc{};
        }
        return std::chrono::milliseconds{0};
    }};
    upkeep.request();
    upkeep.settle();
    CHECK(runs == 1);
    upkeep.request();
    upkeep.settle();
    CHECK(runs == 2);
}

TEST_CASE("Upkeep runs when asked, once more when asked meanwhile, and not after stop", "[index]") {
    std::atomic<int> runs{0};
    Upkeep upkeep{[&](const std::atomic<bool>&) {
        ++runs;
        return std::chrono::milliseconds{0};
    }};
    upkeep.settle();
    CHECK(runs == 0);
    upkeep.request();
    upkeep.settle();
    CHECK(runs == 1);
    upkeep.stop();
    upkeep.request();
    upkeep.settle();
    CHECK(runs == 1);
}
