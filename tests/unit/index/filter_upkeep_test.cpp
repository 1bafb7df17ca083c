#include "index/checkpoint.hpp"
#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/memory_chunks.hpp"
#include "tests/unit/index/readers.hpp"
#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <map>
#include <random>

using namespace veer::index;
using namespace veer::index::test;
using veer::storage::ColumnType;
using veer::storage::ColumnValue;

namespace {

using Columns = std::vector<ColumnValue>;

struct Row {
    Vector vector;
    std::int32_t number = 0;
};

using Model = std::map<std::string, Row>;

const IndexOptions options{
    .dimensions = 8, .m = 6, .ef_construction = 16, .columns = {ColumnType::int4}};

Filter is(std::int32_t number) {
    return equal(0, std::int64_t{number});
}

void put(RouteIndex& index, Model& model, const std::string& key, Row row) {
    REQUIRE(index.put(key, row.vector, Columns{int4(row.number)}));
    model[key] = std::move(row);
}

/// For each number, exactly the rows that have it.
void check_equal(const RouteIndex& index, const Model& model, std::int32_t numbers) {
    const Vector origin(options.dimensions, 0);
    const std::vector<std::size_t> columns{0};
    std::size_t found = 0;
    for (std::int32_t number = 0; number < numbers; ++number) {
        const Filter filter = is(number);
        const auto hits = index.search(
            {.query = origin,
             .k = model.size() + 1,
             .ef = 10,
             .filter = &filter,
             .columns = columns}
        );
        REQUIRE(hits.has_value());
        REQUIRE(std::all_of(hits->begin(), hits->end(), [&](const Hit& hit) {
            const auto row = model.find(hit.key);
            return row != model.end() && row->second.number == number &&
                   hit.values[0] == std::get<std::string>(int4(number)) &&
                   hit.distance == index.distance(row->second.vector, origin);
        }));
        found += hits->size();
    }
    CHECK(found == model.size());
}

void load(RouteIndex& index, const Model& model) {
    std::vector<RouteIndex::Entry> entries;
    std::vector<Columns> values;
    values.reserve(model.size());
    for (const auto& [key, row] : model) {
        values.push_back({int4(row.number)});
        entries.push_back({key, row.vector, values.back()});
    }
    index.load(entries, 1);
    index.publish();
}

void write_checkpoint(MemoryChunks& chunks, const Model& model) {
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, "items <->").has_value());
    load(index, model);
    const auto never = [] {
        return false;
    };
    REQUIRE(index.checkpoint(veer::storage::Lsn{1}, never).has_value());
}

}  // namespace

TEST_CASE("A rebuild follows values that change meanwhile", "[index]") {
    RouteIndex index{options};
    std::mt19937 random{1};
    const auto vectors = clustered(300, 8, 1);  // some rows share a vector, and not their values
    Model model;
    put(index, model, "fixed", {vectors[0], 7});
    index.publish();
    const Filter seven = is(7);
    Readers readers(1, [&](std::size_t) {
        const auto found = index.search_exact({.query = vectors[0], .k = 5, .filter = &seven});
        return found && found->size() == 1 && found->front().key == "fixed";
    });
    for (std::size_t step = 0; index.rebuilds() < 2; ++step) {
        const std::string key = std::to_string(random() % 700);
        const auto row = model.find(key);
        const auto number = static_cast<std::int32_t>(random() % 5);
        if (row != model.end() && random() % 4 == 0) {
            index.erase(key);
            model.erase(key);
        } else if (row != model.end() && random() % 2 == 0) {
            put(index, model, key, {row->second.vector, number});
        } else {
            put(index, model, key, {vectors[random() % vectors.size()], number});
        }
        if (step % 7 == 0) {
            put(index, model, "fixed", {vectors[step % vectors.size()], 7});
            index.publish();
        }
    }
    index.publish();
    readers.wait_for_searches(1);
    readers.join();
    CHECK(readers.wrong == 0);
    check_equal(index, model, 8);
    index.settle();
    check_equal(index, model, 8);
}

TEST_CASE("Superseded values are left behind while others come", "[index]") {
    RouteIndex index{options};
    Model model;
    const auto vectors = clustered(100, 8, 1);
    for (std::int32_t round = 0; round < 300; ++round) {
        for (std::size_t row = 0; row < vectors.size(); ++row) {
            put(index, model, std::to_string(row), {vectors[row], round % 3});
        }
        put(index, model, std::to_string(round % 100), {vectors[0], 3});
        index.publish();
    }
    index.settle();
    CHECK(index.superseded_values() < 20'000);
    CHECK(index.dead_slots() < 1'000);
    check_equal(index, model, 4);
}

TEST_CASE("After a restart the values are the rows', not those of the checkpoint", "[index]") {
    MemoryChunks chunks;
    Model model;
    const auto vectors = clustered(400, 8, 1);
    for (int row = 0; row < 800; ++row) {  // each vector twice
        model[std::to_string(row)] = {vectors[static_cast<std::size_t>(row % 400)], row % 3};
    }
    write_checkpoint(chunks, model);
    for (int row = 0; row < 800; row += 2) {
        model[std::to_string(row)].number = 3;
    }
    model["new"] = {model["1"].vector, 4};
    model["5"].vector[0] += 1;
    model.erase("7");
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, "items <->").value());
    load(index, model);
    CHECK(index.restored()->rows == 798);
    check_equal(index, model, 5);
    put(index, model, "8", {model["8"].vector, 1});
    index.publish();
    check_equal(index, model, 5);
}
