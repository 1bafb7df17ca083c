#include "index/checkpoint.hpp"

#include "index/graph_store.hpp"
#include "index/restore.hpp"
#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/memory_chunks.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

using namespace veer::index;
using namespace veer::index::test;

namespace {

using Model = std::map<std::string, Vector>;

bool going_on() {
    return false;
}

const std::string name = "items <->";

/// What a restart does: whatever the checkpoint says, all rows come.
std::unique_ptr<RouteIndex> restarted(
    MemoryChunks& chunks, const Model& model, const IndexOptions& options, bool usable = true
) {
    auto index = std::make_unique<RouteIndex>(options);
    const auto begun = index->restore(chunks, name);
    CHECK(begun.has_value() == usable);
    std::vector<RouteIndex::Entry> entries;
    for (const auto& [key, vector] : model) {
        entries.push_back({key, vector});
    }
    index->load(std::span{entries}.first(entries.size() / 2), 1);
    index->load(std::span{entries}.subspan(entries.size() / 2), 1);
    index->publish();
    return index;
}

void check_equal(const RouteIndex& index, const Model& model) {
    const Vector origin(index.options().dimensions, 0.5F);
    const auto found = index.search_exact(origin, model.size() + 100);
    REQUIRE(found.has_value());
    REQUIRE(found->size() == model.size());
    for (const Hit& hit : *found) {
        const auto row = model.find(hit.key);
        REQUIRE(row != model.end());
        REQUIRE(hit.distance == index.distance(row->second, origin));
    }
    CHECK(index.missing_rows() == 0);
}

Model filled(RouteIndex& index, const std::vector<Vector>& vectors) {
    Model model;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        model[std::to_string(i)] = vectors[i];
    }
    index.load(entries(vectors), 1);
    index.publish();
    return model;
}

void change(RouteIndex& index, Model& model, std::mt19937& random, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::string key = std::to_string(random() % 1500);
        if (random() % 3 == 0) {
            index.erase(key);
            model.erase(key);
            continue;
        }
        Vector vector(index.options().dimensions);
        for (float& x : vector) {
            x = static_cast<float>(random() % 7);  // some come twice
        }
        REQUIRE(index.put(key, vector));
        model[key] = vector;
    }
    index.publish();
}

std::uint64_t written(RouteIndex& index, std::uint64_t position = 1) {
    const auto bytes = index.checkpoint(veer::storage::Lsn{position}, going_on);
    REQUIRE(bytes.has_value());
    return *bytes;
}

}  // namespace

TEST_CASE("A restarted index takes its graph from the checkpoint", "[index]") {
    const std::string files = std::filesystem::temp_directory_path();
    const auto [quantization, file] = GENERATE_COPY(
        std::pair{Quantization::none, VectorFile{}},
        std::pair{Quantization::sq8, VectorFile{}},
        std::pair{Quantization::sq8, VectorFile{files}}
    );
    const IndexOptions options{
        .metric = Metric::cosine,
        .dimensions = 8,
        .quantization = quantization,
        .vector_file = file};
    MemoryChunks chunks;
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, name).value() == false);
    Model model = filled(index, clustered(3000, 8, 1));
    CHECK((index.file_bytes().stored > 0) == file.used());
    CHECK(written(index) > std::uint64_t{3000} * 60);
    const auto again = restarted(chunks, model, options);
    REQUIRE(again->restored().has_value());
    CHECK(again->restored()->rows == 3000);
    CHECK(again->restored()->other == 0);
    CHECK(again->restored()->lost == 0);
    check_equal(*again, model);
    for (const Vector& query : clustered(50, 8, 2)) {
        CHECK(keys(again->search(query, 10, 40)) == keys(index.search(query, 10, 40)));
    }
}

TEST_CASE("Only what has changed is written, and nothing where nothing has", "[index]") {
    const IndexOptions options{.dimensions = 4, .m = 4};
    MemoryChunks chunks;
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, name).has_value());
    Model model = filled(index, clustered(6000, 4, 1));
    const std::uint64_t all = written(index);
    CHECK(written(index) == 0);
    model["0"] = Vector{1, 2, 3, 4};
    REQUIRE(index.put("0", model["0"]));
    index.publish();
    const std::uint64_t one = written(index);
    CHECK(one > 0);
    CHECK(one < all * 9 / 10);
    CHECK(written(index) == 0);
    check_equal(*restarted(chunks, model, options), model);
    // One manifest, the chunks, and the vector of one dead node.
    CHECK(chunks.values.size() == 1 + (6001 + 255) / 256 + 1);
    const auto again = restarted(chunks, model, options);
    CHECK(written(*again) == 0);  // it goes on from what it has read
}

TEST_CASE("Rows that changed after the checkpoint are linked anew, others are not", "[index]") {
    const IndexOptions options{.dimensions = 8, .m = 8};
    MemoryChunks chunks;
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, name).has_value());
    Model model = filled(index, clustered(3000, 8, 1));
    written(index);
    for (int i = 0; i < 100; ++i) {
        model.erase(std::to_string(i));
        model[std::to_string(i + 200)] = Vector(8, static_cast<float>(i));
        model["new " + std::to_string(i)] = Vector(8, static_cast<float>(-i));
    }
    const auto again = restarted(chunks, model, options);
    CHECK(again->restored()->rows == 2800);
    CHECK(again->restored()->other == 200);
    CHECK(again->restored()->lost == 200);
    check_equal(*again, model);
    CHECK(recall(*again, clustered(100, 8, 2), 10, 100) >= 0.97);
    again->settle();
    written(*again);
    const auto third = restarted(chunks, model, options);
    CHECK(third->restored()->other == 0);
    CHECK(third->restored()->lost == 0);
    check_equal(*third, model);
}

TEST_CASE("A checkpoint of other rows costs time and nothing else", "[index]") {
    const IndexOptions options{.dimensions = 8, .m = 8};
    MemoryChunks chunks;
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, name).has_value());
    filled(index, clustered(1500, 8, 1));
    written(index);
    Model model;
    const auto others = clustered(1500, 8, 7);
    for (std::size_t i = 0; i < others.size(); ++i) {
        model[std::to_string(i)] = others[i];
    }
    const auto again = restarted(chunks, model, options);
    CHECK(again->restored()->rows == 0);
    check_equal(*again, model);
    CHECK(recall(*again, clustered(50, 8, 2), 10, 100) >= 0.97);
    check_equal(*restarted(chunks, {}, options), {});
}

TEST_CASE("A damaged, cut or foreign checkpoint is refused, and the rows rebuild", "[index]") {
    const IndexOptions options{.dimensions = 2, .m = 4, .quantization = Quantization::sq8};
    MemoryChunks chunks;
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, name).has_value());
    Model model = filled(index, clustered(300, 2, 1));
    std::mt19937 random{3};
    change(index, model, random, 100);
    written(index);
    const auto whole = chunks.values;
    REQUIRE(whole.size() >= 4);
    const auto refused = [&] {
        RouteIndex again{options};
        return !again.restore(chunks, name).has_value();
    };
    REQUIRE_FALSE(refused());
    for (const auto& [key, value] : whole) {
        for (std::size_t at = 0; at < value.size(); at += 1 + value.size() / 97) {
            chunks.values[key][at] = static_cast<char>(value[at] ^ (1 << (at % 8)));
            CHECK(refused());
            chunks.values[key] = value.substr(0, at);
            CHECK(refused());
            chunks.values[key] = value;
        }
        chunks.values[key] += '\0';
        CHECK(refused());
        for (const auto& [other, bytes] : whole) {
            chunks.values[key] = bytes;  // whole, and at the wrong place
            CHECK((key == other || refused()));
        }
        chunks.values.erase(key);
        const bool is_manifest = key == checkpoint::manifest_key(name);
        CHECK(refused() != is_manifest);
        check_equal(*restarted(chunks, model, options, is_manifest), model);
        chunks.values[key] = value;
    }
    IndexOptions other = options;
    other.ef_construction = 65;
    check_equal(*restarted(chunks, model, other, false), model);
}

TEST_CASE("Wherever a crash cuts a checkpoint, the rows come back as they are", "[index]") {
    const IndexOptions options{.dimensions = 3, .m = 4, .ef_construction = 16};
    const auto seed = GENERATE(1U, 2U);
    std::mt19937 random{seed};
    MemoryChunks chunks;
    auto index = std::make_unique<RouteIndex>(options);
    REQUIRE(index->restore(chunks, name).has_value());
    Model model;
    for (std::size_t crash = 0; crash < 24; ++crash) {
        change(*index, model, random, 120);
        if (crash % 3 == 0) {
            written(*index);
            change(*index, model, random, 40);
        }
        chunks.writes_left = crash % 8;
        const auto done = index->checkpoint(veer::storage::Lsn{crash}, going_on);
        chunks.writes_left = std::numeric_limits<std::size_t>::max();
        if (crash % 2 == 0 || !done.has_value()) {
            if (crash % 5 == 0) {
                change(*index, model, random, 30);  // after the checkpoint, in the rows only
            }
            index = restarted(chunks, model, options);
        }
        check_equal(*index, model);
    }
    index->settle();
    check_equal(*index, model);
}

TEST_CASE("Checkpoints are written beside writer and rebuilds", "[index]") {
    const IndexOptions options{.dimensions = 4, .m = 4, .ef_construction = 16};
    MemoryChunks chunks;
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, name).has_value());
    Model model = filled(index, clustered(1500, 4, 1));
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> failed{0};
    std::thread writer{[&] {
        while (!stop) {
            failed += index.checkpoint(veer::storage::Lsn{1}, going_on).has_value() ? 0U : 1U;
        }
    }};
    std::mt19937 random{5};
    for (int round = 0; round < 60; ++round) {
        change(index, model, random, 60);
    }
    stop = true;
    writer.join();
    CHECK(failed == 0);
    const auto early = restarted(chunks, model, options);
    check_equal(*early, model);
    written(index);
    const auto again = restarted(chunks, model, options);
    CHECK(again->restored()->other == 0);
    CHECK(again->restored()->lost == 0);
    check_equal(*again, model);
    CHECK(recall(*again, clustered(50, 4, 2), 10, 100) >= 0.97);
}

TEST_CASE("A checkpoint after a rebuild in the middle of a transaction is of use", "[index]") {
    const IndexOptions options{.dimensions = 8, .m = 6, .ef_construction = 16};
    MemoryChunks chunks;
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, name).has_value());
    Model model = filled(index, clustered(5000, 8, 1));
    const auto fresh = clustered(5000, 8, 2);
    for (std::size_t i = 0; i < 2000; ++i) {
        const std::string key = std::to_string(i);
        REQUIRE(index.put(key, fresh[i]));
        model[key] = fresh[i];
    }
    index.publish();
    Model open = model;
    for (std::size_t i = 4999; index.rebuilds() == 0; --i) {
        if (i < 2500) {  // enough of an open transaction: the rebuild goes on by itself
            std::this_thread::yield();
            ++i;
            continue;
        }
        const std::string key = std::to_string(i);
        REQUIRE(index.put(key, fresh[i]));
        open[key] = fresh[i];
    }
    written(index);
    const auto before = restarted(chunks, model, options);
    check_equal(*before, model);
    CHECK(before->restored()->rows == 5000);
    check_equal(*restarted(chunks, open, options), open);

    index.publish();
    written(index);
    const auto after = restarted(chunks, open, options);
    check_equal(*after, open);
    CHECK(after->restored()->other == 0);
    CHECK(after->restored()->lost == 0);
    CHECK(recall(*after, clustered(50, 8, 3), 10, 100) >= 0.97);
}

TEST_CASE("A node that only younger ones are linked to stays one for who leads to it", "[index]") {
    const IndexOptions options{.dimensions = 2, .m = 2, .ef_construction = 8};
    MemoryChunks chunks;
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, name).has_value());
    Model model = filled(index, {{0, 0}, {100, 0}, {0, 100}});
    for (int i = 0; i < 40; ++i) {  // around each, in a transaction that is still open
        const float near = static_cast<float>(i) / 100;
        REQUIRE(index.put("a" + std::to_string(i), Vector{near, 1}));
        REQUIRE(index.put("b" + std::to_string(i), Vector{100 + near, 1}));
        REQUIRE(index.put("c" + std::to_string(i), Vector{near, 101}));
    }
    written(index);
    const auto again = restarted(chunks, model, options);
    CHECK(again->restored()->rows == 3);
    check_equal(*again, model);
    for (const auto& [key, vector] : model) {
        CHECK(keys(again->search(vector, 1, 1)) == std::vector{key});
    }
}

TEST_CASE("Rows of another kind that come at a restart show codes to be too coarse", "[index]") {
    constexpr std::size_t dimensions = 256;
    const IndexOptions options{.dimensions = dimensions, .m = 8, .ef_construction = 40};
    MemoryChunks chunks;
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, name).has_value());
    Model model = filled(index, clustered(1200, dimensions, 1));
    written(index);
    auto later = clustered(1300, dimensions, 2);
    for (Vector& vector : later) {
        std::transform(vector.begin(), vector.end(), vector.begin(), [](float x) {
            return 50 + 0.02F * x;
        });
    }
    const std::vector<Vector> queries(later.end() - 50, later.end());
    for (std::size_t i = 0; i < 1250; ++i) {
        model["later " + std::to_string(i)] = later[i];
    }
    const auto again = restarted(chunks, model, options);
    CHECK(again->restored()->rows == 1200);
    again->settle();
    CHECK(recall(*again, queries, 10, 100) >= 0.95);
}

TEST_CASE("A graph that had given its codes up does not learn them at a restart", "[index]") {
    constexpr std::uint32_t dimensions = 256;
    const IndexOptions options{.dimensions = dimensions, .m = 4, .ef_construction = 8};
    MemoryChunks chunks;
    RouteIndex index{options};
    REQUIRE(index.restore(chunks, name).has_value());
    const Model model = filled(index, clustered(1200, dimensions, 1));
    written(index);
    const bool codes = GENERATE(true, false);
    const std::uint32_t until = GENERATE(0U, 1199U, 2400U);
    const bool given_up = !codes && until == 2400;
    const std::string key = checkpoint::manifest_key(name);
    auto manifest = checkpoint::decode_manifest(key, chunks.values.at(key));
    REQUIRE(manifest.has_value());
    REQUIRE(manifest->centre.has_value());
    if (!codes) {
        manifest->centre.reset();
        manifest->vectors_until = until;
        chunks.values[key] = checkpoint::encode(key, *manifest);
    }
    const auto restore = Restore::begin(
        chunks,
        name,
        options,
        Space{options.metric, dimensions},
        {.m = options.m, .ef_construction = options.ef_construction},
        {}
    );
    REQUIRE(restore.has_value());
    REQUIRE(*restore != nullptr);
    for (const auto& [row, vector] : model) {
        const Restore::Claim claim = (*restore)->claim(row);
        REQUIRE((*restore)->fill(claim.mapped(), vector));
    }
    REQUIRE((*restore)->segment()->train().has_value());
    CHECK(((*restore)->segment()->graph().store().sq8() == nullptr) == given_up);
    check_equal(*restarted(chunks, model, options), model);
}
