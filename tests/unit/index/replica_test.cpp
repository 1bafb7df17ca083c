#include "index/replica.hpp"

#include "index/waiters.hpp"
#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/memory_chunks.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer;
using namespace veer::index;
using namespace veer::index::test;
using storage::Lsn;
using storage::sync::Phase;

namespace {

const storage::TableOid items{100};
const storage::TableOid others{200};

storage::AnnIndex ann(const std::string& operator_name) {
    storage::AnnIndex index;
    index.name = "idx " + operator_name;
    index.method = "hnsw";
    index.operator_name = operator_name;
    return index;
}

storage::Table table(storage::TableOid oid, const std::vector<std::string>& operators) {
    storage::Table made;
    made.oid = oid;
    made.schema = "public";
    made.name = "items";
    made.columns.resize(2);
    made.columns[0].name = "id";
    made.columns[1].name = "embedding";
    made.columns[1].typmod = 2;
    made.key = {0};
    made.vectors = {1};
    for (const std::string& name : operators) {
        made.indexes.push_back(ann(name));
    }
    return made;
}

storage::Row row(const std::string& key, Vector vector) {
    return {key, {std::move(vector)}};
}

storage::Change insert(const std::string& key, Vector vector) {
    return storage::Upsert{items, std::nullopt, row(key, std::move(vector))};
}

storage::Transaction transaction(std::uint64_t end, std::vector<storage::Change> changes) {
    return {Lsn{end - 1}, Lsn{end}, std::move(changes)};
}

storage::sync::Status in_phase(Phase phase) {
    storage::sync::Status status;
    status.phase = phase;
    return status;
}

/// True where there is a column that is not refused, and all such are live.
bool live(const Generation& generation) {
    std::size_t count = 0;
    for (const IndexedColumn& column : generation.columns) {
        if (column.refused.empty() && !column.live) {
            return false;
        }
        count += column.live ? 1 : 0;
    }
    return count > 0;
}

bool live(const Replica& replica) {
    return live(*replica.generation());
}

std::vector<std::string> nearest(const Replica& replica, Vector query, std::size_t k = 10) {
    return keys(replica.generation()->columns.at(0).index->search(query, k, 40));
}

/// A replica of one table with rows a (1, 0) and b (2, 0), streaming from 10.
void start(Replica& replica) {
    replica.begin("app", {table(items, {"<->"})});
    replica.rows(items, std::vector<storage::Row>{row("a", {1, 0}), row("b", {2, 0})});
    replica.ready(Lsn{10});
    replica.status(in_phase(Phase::streaming));
}

}  // namespace

TEST_CASE("Replica has an index for each column and known operator, once", "[index]") {
    Replica replica{1};
    CHECK_FALSE(live(replica));
    storage::Table unbounded = table(others, {"<->"});
    unbounded.columns[1].typmod = -1;
    replica.begin("app", {table(items, {"<->", "<=>", "<->", "<@>"}), unbounded});
    const auto generation = replica.generation();
    CHECK(generation->number == 1);
    CHECK(generation->database == "app");
    CHECK_FALSE(live(*generation));
    REQUIRE(generation->columns.size() == 2);
    CHECK(generation->columns[0].index->options().metric == Metric::l2);
    CHECK(generation->columns[1].index->options().metric == Metric::cosine);
    CHECK(generation->columns[1].table.oid == items);
    CHECK(generation->columns[1].index->options().dimensions == 2);
}

TEST_CASE("Rows of the copy are served once the stream follows", "[index]") {
    Replica replica{2};
    replica.status(in_phase(Phase::copying));
    replica.begin("app", {table(items, {"<->"})});
    replica.rows(
        items, std::vector<storage::Row>{row("a", {1, 0}), {"n", {storage::NullVector{}}}}
    );
    replica.rows(others, std::vector<storage::Row>{row("x", {1, 0})});
    CHECK_FALSE(live(replica));
    CHECK(nearest(replica, {0, 0}).empty());
    replica.ready(Lsn{10});
    CHECK_FALSE(live(replica));
    replica.status(in_phase(Phase::streaming));
    CHECK(live(replica));
    CHECK(replica.applied() == Lsn{10});
    CHECK(nearest(replica, {0, 0}) == std::vector<std::string>{"a"});
}

TEST_CASE("Transactions change the rows", "[index]") {
    Replica replica{1};
    start(replica);
    replica.apply(transaction(20, {insert("c", {0, 0}), insert("a", {9, 0})}));
    CHECK(replica.applied() == Lsn{20});
    CHECK(nearest(replica, {0, 0}) == std::vector<std::string>{"c", "b", "a"});
    replica.apply(transaction(30, {storage::Delete{items, "c"}}));
    CHECK(nearest(replica, {0, 0}) == std::vector<std::string>{"b", "a"});
    replica.apply(transaction(40, {storage::Upsert{items, "a", row("z", {9, 0})}}));
    CHECK(nearest(replica, {0, 0}) == std::vector<std::string>{"b", "z"});
    replica.apply(transaction(50, {storage::Truncate{{others, items}}, insert("t", {5, 5})}));
    CHECK(nearest(replica, {0, 0}) == std::vector<std::string>{"t"});
    replica.apply(transaction(60, {storage::Upsert{items, {}, {"t", {storage::NullVector{}}}}}));
    CHECK(nearest(replica, {0, 0}).empty());
    replica.applied(Lsn{70});
    CHECK(replica.applied() == Lsn{70});
    replica.applied(Lsn{65});
    CHECK(replica.applied() == Lsn{70});
}

TEST_CASE("Parts of a transaction are seen with its end, and not before", "[index]") {
    Replica replica{1};
    start(replica);
    const auto before = nearest(replica, {0, 0});
    const auto part = [&](std::vector<storage::Change> changes) {
        replica.part(changes);
        CHECK(nearest(replica, {0, 0}) == before);
        CHECK(replica.applied() == Lsn{10});
    };
    part({insert("c", {0, 0}), storage::Delete{items, "a"}});
    part({storage::Upsert{items, "b", row("z", {9, 0})}});
    part({storage::Truncate{{items}}, insert("t", {5, 5})});
    part({storage::Upsert{items, "t", row("u", {6, 6})}, insert("v", {7, 7})});
    replica.apply(transaction(20, {storage::Delete{items, "v"}}));
    CHECK(nearest(replica, {0, 0}) == std::vector<std::string>{"u"});
    CHECK(replica.applied() == Lsn{20});
}

TEST_CASE("A vector that cannot be indexed leaves the transaction's other rows alone", "[index]") {
    Replica replica{1};
    start(replica);
    replica.apply(transaction(20, {insert("c", {1, 2, 3}), insert("d", {0, 0})}));
    CHECK(nearest(replica, {0, 0}) == std::vector<std::string>{"d", "a", "b"});
    CHECK(replica.generation()->columns[0].index->rejected() == 1);
}

TEST_CASE("Any phase but streaming stops serving, and streaming resumes it", "[index]") {
    Replica replica{1};
    replica.status(in_phase(Phase::streaming));
    CHECK_FALSE(live(replica));
    start(replica);
    const auto held = replica.generation();
    CHECK(live(*held));
    replica.status(in_phase(Phase::waiting));
    CHECK_FALSE(live(replica));
    CHECK(replica.status().phase == Phase::waiting);
    CHECK(live(*held));  // a Generation never changes
    replica.status(in_phase(Phase::streaming));
    CHECK(live(replica));
    CHECK(replica.generation()->number == held->number);
}

TEST_CASE("A new copy is a new generation, and the old one stays whole for its users", "[index]") {
    Replica replica{1};
    start(replica);
    const auto old = replica.generation();
    replica.begin("app", {table(items, {"<->"})});
    CHECK(replica.generation()->number == old->number + 1);
    CHECK_FALSE(live(replica));
    CHECK(replica.applied() == Lsn{});
    replica.status(in_phase(Phase::streaming));
    CHECK_FALSE(live(replica));  // not before ready
    CHECK(old->columns[0].index->search(Vector{0, 0}, 10, 40)->size() == 2);
    CHECK(replica.generation()->columns[0].index->search(Vector{0, 0}, 10, 40)->empty());
}

TEST_CASE("Waiters are told once their position is applied and visible", "[index]") {
    Replica replica{1};
    start(replica);
    std::vector<std::string> told;
    const auto note = [&](const std::string& name) {
        return [&told, &replica, name] {
            told.push_back(name);
            CHECK(nearest(replica, {0, 0}).at(0) == "c");
        };
    };
    CHECK(replica.wait_for(Lsn{10}, note("already there")) == 0);
    CHECK(replica.wait_for(Lsn{30}, note("30")) != 0);
    CHECK(replica.wait_for(Lsn{20}, note("20")) != 0);
    const auto gone = replica.wait_for(Lsn{15}, note("cancelled"));
    replica.cancel(gone);
    CHECK(told.empty());
    replica.apply(transaction(25, {insert("c", {0, 0})}));
    CHECK(told == std::vector<std::string>{"20"});
    replica.applied(Lsn{30});
    CHECK(told == std::vector<std::string>{"20", "30"});
    replica.applied(Lsn{40});
    CHECK(told.size() == 2);
    replica.cancel(gone);
}

TEST_CASE("The end of a generation tells all waiters", "[index]") {
    Replica replica{1};
    start(replica);
    int told = 0;
    CHECK(replica.wait_for(Lsn{1000}, [&] { ++told; }) != 0);
    CHECK(replica.wait_for(Lsn{2000}, [&] {
        replica.cancel(1);
        ++told;
    }) != 0);
    replica.begin("app", {});
    CHECK(told == 2);
}

TEST_CASE("Waiters come out in the order of their positions", "[index]") {
    Waiters waiters;
    std::string order;
    waiters.add(Lsn{3}, [&] { order += '3'; });
    waiters.add(Lsn{1}, [&] { order += '1'; });
    waiters.add(Lsn{2}, [&] { order += '2'; });
    for (const auto& done : waiters.reached(Lsn{2})) {
        done();
    }
    CHECK(order == "12");
    CHECK(waiters.all().size() == 1);
    CHECK(waiters.all().empty());
}

TEST_CASE(
    "Tables that are redefined keep their indexes, live, and one that left is gone", "[index]"
) {
    Replica replica{1};
    replica.begin("app", {table(items, {"<->"}), table(others, {"<->", "<=>"})});
    replica.rows(items, std::vector<storage::Row>{row("a", {1, 0}), row("b", {2, 0})});
    replica.ready(Lsn{10});
    replica.status(in_phase(Phase::streaming));
    const auto before = replica.generation();
    storage::Table renamed = table(items, {"<->"});
    renamed.name = "things";
    replica.redefine({renamed});
    const auto after = replica.generation();
    REQUIRE(before->columns.size() == 3);
    REQUIRE(after->columns.size() == 1);
    CHECK(after->number > before->number);
    CHECK(live(*after));
    CHECK(after->database == "app");
    CHECK(after->columns[0].table.name == "things");
    CHECK(after->columns[0].index == before->columns[0].index);
    CHECK(replica.applied() == Lsn{10});
    replica.apply(transaction(
        20, {insert("c", {1, 1}), storage::Upsert{others, std::nullopt, row("x", {1, 1})}}
    ));
    CHECK(nearest(replica, {1, 1}, 1) == std::vector<std::string>{"c"});
    CHECK(replica.applied() == Lsn{20});
}

TEST_CASE("An index without memory is refused in bytes, and the others go on", "[index]") {
    Replica replica{
        ReplicaOptions{.route_bytes_max = [](const storage::Table&, const storage::AnnIndex& ann) {
            return ann.operator_name == "<->" ? memory_estimate(1, 2, 16) : 0;
        }}};
    replica.begin("app", {table(items, {"<->", "<=>"})});
    replica.rows(items, std::vector<storage::Row>{row("a", {1, 0}), row("b", {2, 0})});
    replica.ready(Lsn{10});
    replica.status(in_phase(Phase::streaming));
    const auto generation = replica.generation();
    CHECK(live(*generation));
    CHECK(
        generation->columns.at(0).refused ==
        "Its index needs " + std::to_string(memory_estimate(2, 2, 16)) +
            " bytes of memory for 2 rows, and " + std::to_string(memory_estimate(1, 2, 16)) +
            " are allowed (memory_max of its route)."
    );
    CHECK(generation->columns.at(0).index->live_rows() == 0);
    CHECK(generation->columns.at(1).refused.empty());
    CHECK(generation->columns.at(1).index->live_rows() == 2);
    replica.apply(transaction(20, {insert("c", {3, 0})}));
    CHECK(replica.generation()->columns.at(1).index->live_rows() == 3);
    replica.begin("app", {});
    CHECK(replica.generation()->columns.empty());
}

TEST_CASE("A copy that is too large for the memory is refused before its rows come", "[index]") {
    Replica replica{ReplicaOptions{.memory_bytes_max = memory_estimate(1200, 2, 16)}};
    storage::Table large = table(items, {"<->"});
    large.estimated_rows = 2000;
    storage::Table small = table(others, {"<->"});
    small.estimated_rows = 1000;
    replica.begin("app", {large, small});
    const auto generation = replica.generation();
    CHECK(
        generation->columns.at(0).refused ==
        "Its index needs " + std::to_string(memory_estimate(2200, 2, 16)) +
            " bytes of memory for 2200 rows, and " + std::to_string(memory_estimate(1200, 2, 16)) +
            " are left ([limits] index_memory_max)."
    );
    CHECK(generation->columns.at(1).refused.empty());
}

TEST_CASE("A row that finds no memory later ends serving, before anyone waits for it", "[index]") {
    Replica replica{
        ReplicaOptions{.route_bytes_max = [](const storage::Table&, const storage::AnnIndex&) {
            return memory_estimate(2, 2, 16);
        }}};
    start(replica);
    REQUIRE(replica.generation()->columns.at(0).refused.empty());
    bool refused_when_told = false;
    replica.wait_for(Lsn{20}, [&] {
        refused_when_told = !replica.generation()->columns.at(0).refused.empty();
    });
    replica.apply(transaction(20, {insert("c", {3, 0})}));
    CHECK(refused_when_told);
    replica.status(in_phase(Phase::streaming));
    CHECK_FALSE(replica.generation()->columns.at(0).refused.empty());
}

TEST_CASE("A replica goes on from its checkpoint, whatever happened to the rows", "[index]") {
    MemoryChunks chunks;
    const ReplicaOptions options{.checkpoints = &chunks};
    {
        Replica replica{options};
        start(replica);
        replica.stop();
    }
    CHECK_FALSE(chunks.values.empty());
    {
        Replica replica{options};
        start(replica);
        const auto restored = replica.generation()->columns.at(0).index->restored();
        REQUIRE(restored.has_value());
        CHECK(restored->rows == 2);
        CHECK(nearest(replica, {0, 0}) == std::vector<std::string>{"a", "b"});
        replica.apply(transaction(20, {insert("c", {0, 1})}));
        start(replica);  // another copy, from the checkpoint before c
        CHECK(nearest(replica, {0, 0}) == std::vector<std::string>{"a", "b"});
        replica.begin("app", {table(others, {"<->"})});
    }
    CHECK(chunks.keys("g")->empty());  // nobody indexes it any more
}

TEST_CASE("A table that joins goes on from its checkpoint, too", "[index]") {
    MemoryChunks chunks;
    const ReplicaOptions options{.checkpoints = &chunks};
    {
        Replica replica{options};
        start(replica);
        replica.stop();
    }
    Replica replica{options};
    replica.begin("app", {});  // of a copy that starts over all tables join
    replica.ready(Lsn{10});
    replica.status(in_phase(Phase::streaming));
    replica.join(table(items, {"<->"}));
    replica.rows(items, std::vector<storage::Row>{row("a", {1, 0}), row("c", {3, 0})});
    replica.joined(items);
    const auto restored = replica.generation()->columns.at(0).index->restored();
    REQUIRE(restored.has_value());
    CHECK(restored->rows == 1);
    CHECK(restored->other == 1);
    CHECK(nearest(replica, {0, 0}) == std::vector<std::string>{"a", "c"});
}

TEST_CASE("A table joins while another is served, and is served once it is complete", "[index]") {
    Replica replica{2};
    start(replica);
    const auto before = replica.generation();
    replica.join(table(others, {"<->"}));
    replica.rows(others, std::vector<storage::Row>{row("x", {1, 0}), row("y", {5, 0})});
    replica.catch_up(
        others,
        std::vector<storage::Change>{
            storage::Delete{others, "x"}, storage::Upsert{others, "y", row("z", {6, 0})}}
    );
    replica.apply(transaction(20, {insert("c", {0, 0})}));
    REQUIRE(replica.generation()->columns.size() == 2);
    CHECK(replica.generation()->columns[0].index == before->columns[0].index);
    CHECK(replica.generation()->columns[0].live);
    CHECK_FALSE(replica.generation()->columns[1].live);
    CHECK(replica.generation()->columns[1].index->search(Vector{0, 0}, 10, 40)->empty());
    CHECK(replica.applied() == Lsn{20});
    replica.joined(others);
    CHECK(live(replica));
    CHECK(
        keys(replica.generation()->columns[1].index->search(Vector{0, 0}, 10, 40)) ==
        std::vector<std::string>{"z"}
    );
    replica.apply(transaction(30, {storage::Upsert{others, std::nullopt, row("w", {1, 1})}}));
    CHECK(replica.generation()->columns[1].index->search(Vector{0, 0}, 10, 40)->size() == 2);
}

TEST_CASE("Other tables are redefined while one has just begun to join", "[index]") {
    MemoryChunks chunks;
    Replica replica{ReplicaOptions{
        .route_bytes_max =
            [](const storage::Table& table, const storage::AnnIndex&) {
                return table.estimated_rows > 1e6 ? memory_estimate(2, 2, 16) : 0;
            },
        .checkpoints = &chunks}};
    start(replica);
    storage::Table late = table(others, {"<->"});
    SECTION("its checkpoint is being read") {
        chunks.on_read = [&] {
            replica.redefine({table(items, {"<->"})});
        };
        replica.join(late);
        chunks.on_read = nullptr;
        replica.rows(others, std::vector<storage::Row>{row("x", {1, 0})});
        replica.joined(others);
        CHECK(live(replica));
    }
    SECTION("it is too large to be indexed at all") {
        late.estimated_rows = 1e7;
        replica.join(late);
        replica.redefine({table(items, {"<->"})});
        replica.joined(others);
    }
    REQUIRE(replica.generation()->columns.size() == 2);
    CHECK(replica.generation()->columns[1].refused.empty() == (late.estimated_rows < 1e6));
    replica.redefine({table(items, {"<->"})});
    CHECK(replica.generation()->columns.size() == 1);
}

TEST_CASE("A table that is given up leaves the others alone, and may join again", "[index]") {
    Replica replica{1};
    start(replica);
    replica.join(table(others, {"<->"}));
    replica.rows(others, std::vector<storage::Row>{row("x", {1, 0})});
    replica.redefine({table(items, {"<->"})});
    CHECK(replica.generation()->columns.size() == 2);
    replica.abandon(others);
    CHECK(replica.generation()->columns.size() == 1);
    CHECK(live(replica));
    replica.join(table(others, {"<->"}));
    replica.rows(others, std::vector<storage::Row>{row("x", {1, 0})});
    replica.joined(others);
    CHECK(live(replica));
    replica.redefine({table(others, {"<->"})});
    REQUIRE(replica.generation()->columns.size() == 1);
    CHECK(replica.generation()->columns[0].table.oid == others);
}

TEST_CASE("A table that finds no memory is not served, the others are", "[index]") {
    Replica replica{
        ReplicaOptions{.route_bytes_max = [](const storage::Table&, const storage::AnnIndex&) {
            return memory_estimate(2, 2, 16);
        }}};
    start(replica);
    storage::Table small = table(others, {"<->"});
    replica.join(small);
    replica.rows(
        others, std::vector<storage::Row>{row("x", {1, 0}), row("y", {2, 0}), row("z", {3, 0})}
    );
    replica.joined(others);
    CHECK(replica.generation()->columns.at(0).live);
    CHECK_FALSE(replica.generation()->columns.at(1).live);
    CHECK_FALSE(replica.generation()->columns.at(1).refused.empty());
    replica.abandon(others);
    CHECK(replica.generation()->columns.size() == 1);
}
