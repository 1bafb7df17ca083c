#include "storage/sync/transaction_assembler.hpp"
#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <map>
#include <random>

// Transactions that come in pieces, before their end, against a model that knows the end of each.

using namespace veer::storage;
using veer::storage::sync::OpenTransaction;
using veer::storage::sync::Spilled;
using veer::storage::sync::TransactionAssembler;
using veer::tests::key_of;
using veer::tests::row_of;
using veer::tests::sample_table;
namespace pgoutput = veer::storage::source::pgoutput;
using Kind = pgoutput::Field::Kind;

namespace {

/// In memory, in the place of a disk.
class Shelf : public ChangeSpill {
  public:
    Shelf(int& alive, std::size_t changes_max) : room{changes_max}, alive_{alive} { ++alive_; }

    ~Shelf() override { --alive_; }

    Result<void> add(std::uint32_t subxid, const Change& change) override {
        if (changes.size() == room) {
            return Error{Errc::disk, "It is full."};
        }
        changes.emplace_back(subxid, change);
        return {};
    }

    Result<void> seal() override { return {}; }

    std::uint32_t count() const override { return static_cast<std::uint32_t>(changes.size()); }

    std::uint64_t bytes() const override { return 100 * changes.size(); }

    std::size_t room;
    std::vector<std::pair<std::uint32_t, Change>> changes;

  private:
    int& alive_;
};

pgoutput::Relation relation(std::uint32_t oid = 100, std::int32_t dimensions = 2) {
    return {
        {oid},
        "public",
        "items",
        'd',
        {{true, "id", 20, -1},
         {false, "note", 25, -1},
         {false, "emb", 16385, dimensions},
         {false, "emb2", 16385, 1}}};
}

std::string id_bytes(std::uint64_t id) {
    return key_of(id).substr(4);
}

/// A row of which nothing but the key is told.
pgoutput::TupleData tuple(const std::string& id) {
    return {{Kind::binary, id}, {Kind::null, {}}, {Kind::unchanged_toast, {}}, {Kind::null, {}}};
}

Change upsert(std::uint64_t id, std::uint32_t table = 100) {
    return Upsert{{table}, std::nullopt, row_of(id, UnchangedVector{}, NullVector{})};
}

/// The assembler, and what the tests say to it.
struct Stage {
    explicit Stage(TransactionAssembler::Limits limits = {.disk_max = 1U << 30U})
        : assembler{
              {sample_table(100), sample_table(200)},
              limits,
              [this](std::uint32_t) -> Result<std::shared_ptr<ChangeSpill>> {
                  return std::shared_ptr<ChangeSpill>{std::make_shared<Shelf>(alive, room)};
              }} {}

    void say(const pgoutput::Message& message, std::uint32_t subxid = 0) {
        REQUIRE(assembler.take(message, subxid).value() == std::nullopt);
    }

    bool refuses(const pgoutput::Message& message, std::uint32_t subxid = 0) {
        return assembler.take(message, subxid).has_error();
    }

    void start(std::uint32_t xid) {
        const bool first = std::find(known.begin(), known.end(), xid) == known.end();
        known.push_back(xid);
        say(pgoutput::StreamStart{xid, first});
    }

    void stop() { say(pgoutput::StreamStop{}); }

    void insert(std::uint64_t id, std::uint32_t subxid, std::uint32_t table = 100) {
        const std::string bytes = id_bytes(id);
        say(pgoutput::Insert{{table}, tuple(bytes)}, subxid);
    }

    /// All that counts of it, wherever it is.
    std::vector<Change> commit(std::uint32_t xid) {
        auto transaction =
            assembler.take(pgoutput::StreamCommit{xid, 0, {0x10}, {0x20}, 77}).value();
        CHECK(transaction->xid == xid);
        CHECK(transaction->commit_lsn == Lsn{0x10});
        CHECK(transaction->end_lsn == Lsn{0x20});
        CHECK(transaction->timestamp == 77);
        const auto spilled = assembler.take_spilled();
        return spilled.has_value() ? counted(*spilled) : transaction->changes;
    }

    static std::vector<Change> counted(const Spilled& spilled) {
        std::vector<Change> changes;
        std::uint32_t place = 0;
        for (const auto& [subxid, change] : dynamic_cast<Shelf&>(*spilled.changes).changes) {
            const auto* const row = std::get_if<Upsert>(&change);
            const TableOid table =
                row != nullptr ? row->table : std::get<Truncate>(change).tables.front();
            const auto left = spilled.left.find(table);
            const bool aborted =
                std::binary_search(spilled.aborted.begin(), spilled.aborted.end(), subxid);
            if (!aborted && (left == spilled.left.end() || place >= left->second)) {
                changes.push_back(change);
            }
            ++place;
        }
        return changes;
    }

    int alive = 0;
    std::size_t room = 1'000'000;  ///< changes of one that find room on disk
    std::vector<std::uint32_t> known;
    TransactionAssembler assembler;
};

}  // namespace

TEST_CASE("A streamed transaction comes out at its Stream Commit", "[storage]") {
    Stage stage;
    stage.start(7);
    stage.say(relation(), 7);
    stage.insert(1, 7);
    CHECK(stage.assembler.inside());
    stage.stop();
    CHECK_FALSE(stage.assembler.inside());
    stage.start(8);
    stage.say(relation(), 9);
    stage.insert(2, 9);
    stage.stop();
    stage.start(7);
    stage.insert(3, 7);
    stage.stop();
    CHECK(stage.assembler.open() == 2);
    CHECK(stage.commit(7) == std::vector<Change>{upsert(1), upsert(3)});
    CHECK(stage.commit(8) == std::vector<Change>{upsert(2)});
    CHECK(stage.assembler.open() == 0);
}

TEST_CASE("What is rolled back does not count, on disk or in memory", "[storage]") {
    Stage stage{
        {.memory_max = GENERATE(std::size_t{1}, std::size_t{1} << 20U), .disk_max = 1U << 30U}};
    stage.start(7);
    stage.say(relation(), 7);
    stage.insert(1, 7);
    stage.insert(2, 8);
    stage.insert(3, 9);
    stage.stop();
    stage.say(pgoutput::StreamAbort{7, 8});
    stage.say(pgoutput::StreamAbort{7, 500});  // nothing has come of it
    stage.say(pgoutput::StreamAbort{77, 77});  // nor of that
    stage.start(7);
    stage.say(relation(), 10);
    stage.insert(4, 10);
    stage.say(pgoutput::Truncate{0, {{100}, {200}}}, 11);
    stage.stop();
    stage.say(pgoutput::StreamAbort{7, 11});
    CHECK(stage.commit(7) == std::vector<Change>{upsert(1), upsert(3), upsert(4)});
    stage.start(20);
    stage.say(relation(), 20);
    stage.insert(1, 20);
    stage.stop();
    stage.say(pgoutput::StreamAbort{20, 20});
    CHECK(stage.refuses(pgoutput::StreamCommit{20, 0, {0x10}, {0x20}, 77}));
    CHECK(stage.alive == 0);
}

TEST_CASE("Told of is what has a change that counts, of any table", "[storage]") {
    Stage stage{
        {.memory_max = GENERATE(std::size_t{1}, std::size_t{1} << 20U), .disk_max = 1U << 30U}};
    stage.start(7);
    stage.say(relation(), 7);
    stage.insert(1, 8);
    stage.say(pgoutput::Truncate{0, {{100}}}, 9);
    stage.stop();
    CHECK(stage.assembler.told(7));
    CHECK_FALSE(stage.assembler.told(20));
    stage.say(pgoutput::StreamAbort{7, 8});
    stage.say(pgoutput::StreamAbort{7, 9});
    CHECK_FALSE(stage.assembler.told(7));
    bool told = true;
    SECTION("all of it is rolled back") {
        told = false;
    }
    SECTION("a table that nobody follows") {
        stage.start(7);
        stage.insert(1, 7, 300);
        stage.stop();
    }
    SECTION("a message of veer's own") {
        stage.start(7);
        stage.say(pgoutput::LogicalMessage{true, {0x8}, "veer.flush", ""}, 7);
        stage.stop();
    }
    SECTION("a message, of which nobody says whether its savepoint was rolled back") {
        told = false;
        stage.start(7);
        stage.say(pgoutput::LogicalMessage{true, {0x8}, "other", ""}, 7);
        stage.stop();
    }
    SECTION("a row that makes no sense") {
        stage.start(7);
        stage.assembler.fail({{100}, 7}, "malformed");
        stage.stop();
    }
    CHECK(stage.assembler.told(7) == told);
    CHECK(stage.commit(7).empty());
    CHECK(stage.assembler.told() == told);
}

TEST_CASE("Messages of streams out of order are refused", "[storage]") {
    Stage stage;
    CHECK(stage.refuses(pgoutput::StreamStop{}));
    CHECK(stage.refuses(pgoutput::StreamStart{7, false}));
    CHECK(stage.refuses(pgoutput::StreamCommit{7, 0, {1}, {2}, 0}));
    stage.start(7);
    const std::string one = id_bytes(1);
    CHECK(stage.refuses(pgoutput::Insert{{100}, tuple(one)}, 7));  // before its Relation
    CHECK(stage.refuses(pgoutput::StreamStart{8, true}));
    CHECK(stage.refuses(pgoutput::StreamCommit{7, 0, {1}, {2}, 0}));
    CHECK(stage.refuses(pgoutput::StreamAbort{7, 7}));
    CHECK(stage.refuses(pgoutput::Begin{}));
    CHECK(stage.refuses(pgoutput::Commit{}));
    stage.stop();
    CHECK(stage.refuses(pgoutput::StreamStart{7, true}));
    CHECK(stage.refuses(pgoutput::Insert{{100}, tuple(one)}, 7));
    stage.say(pgoutput::Begin{{0x10}, 0, 5});
    CHECK(stage.refuses(pgoutput::StreamStart{9, true}));
    CHECK(stage.refuses(pgoutput::StreamCommit{7, 0, {1}, {2}, 0}));
}

TEST_CASE("A Relation is its transaction's until that commits", "[storage]") {
    Stage stage;
    const std::string one = id_bytes(1);
    stage.start(7);
    stage.say(relation(), 7);
    stage.stop();
    stage.say(pgoutput::Begin{{0x10}, 0, 5});
    CHECK(stage.refuses(pgoutput::Insert{{100}, tuple(one)}));
    SECTION("then it is everybody's") {
        stage.assembler.take(pgoutput::Commit{0, {0x10}, {0x20}, 0}).value();
        CHECK(stage.commit(7).empty());
        stage.say(pgoutput::Begin{{0x30}, 0, 6});
        stage.say(pgoutput::Insert{{100}, tuple(one)});
    }
    SECTION("but where a later one has come meanwhile") {
        stage.say(relation(100, 3));
        stage.assembler.take(pgoutput::Commit{0, {0x10}, {0x20}, 0}).value();
        CHECK(stage.commit(7).empty());
        stage.say(pgoutput::Begin{{0x30}, 0, 6});
        stage.say(pgoutput::Insert{{100}, tuple(one)});
        CHECK(stage.assembler.failures().contains({100}));
    }
}

TEST_CASE("A row that cannot be read fails its table when it commits, if it does", "[storage]") {
    Stage stage;
    stage.start(7);
    stage.say(relation(), 7);
    stage.say(relation(200), 7);
    stage.insert(1, 7);
    stage.insert(2, 7, 200);
    stage.say(relation(100, 3), 8);
    stage.insert(3, 8);
    CHECK(stage.assembler.failures().empty());
    stage.stop();
    SECTION("it does") {
        CHECK(stage.commit(7) == std::vector<Change>{upsert(2, 200)});
        REQUIRE(stage.assembler.failures().size() == 1);
        CHECK(stage.assembler.failures().contains({100}));
    }
    SECTION("it is rolled back, and rows of before and after count") {
        stage.say(pgoutput::StreamAbort{7, 8});
        stage.start(7);
        stage.say(relation(), 7);
        stage.insert(4, 7);
        stage.stop();
        CHECK(stage.commit(7) == std::vector<Change>{upsert(1), upsert(2, 200), upsert(4)});
        CHECK(stage.assembler.failures().empty());
    }
    SECTION("its bytes make no sense") {
        stage.say(pgoutput::StreamAbort{7, 8});
        stage.start(7);
        stage.assembler.fail({{200}, 7}, "malformed");
        stage.stop();
        CHECK(stage.commit(7) == std::vector<Change>{upsert(1)});
        CHECK(stage.assembler.failures().contains({200}));
    }
}

TEST_CASE("A message that makes no sense is its own subtransaction's", "[storage]") {
    Stage stage;
    stage.start(7);
    stage.say(relation(), 7);
    stage.insert(1, 7);
    stage.insert(2, 8);
    stage.assembler.fail({{100}, 9}, "malformed");
    stage.stop();
    SECTION("the one before is rolled back") {
        stage.say(pgoutput::StreamAbort{7, 8});
        CHECK(stage.commit(7).empty());
        CHECK(stage.assembler.failures().contains({100}));
    }
    SECTION("its own is rolled back") {
        stage.say(pgoutput::StreamAbort{7, 9});
        CHECK(stage.commit(7) == std::vector<Change>{upsert(1), upsert(2)});
        CHECK(stage.assembler.failures().empty());
    }
}

TEST_CASE("A table that leaves takes the rows along that came before", "[storage]") {
    Stage stage{
        {.memory_max = GENERATE(std::size_t{1}, std::size_t{1} << 20U), .disk_max = 1U << 30U}};
    stage.start(7);
    stage.say(relation(), 7);
    stage.say(relation(200), 7);
    stage.insert(1, 7);
    stage.insert(2, 7, 200);
    stage.stop();
    stage.assembler.redefine({sample_table(200)});
    stage.assembler.redefine({sample_table(100), sample_table(200)});
    stage.start(7);
    stage.insert(3, 7);
    stage.stop();
    CHECK(stage.commit(7) == std::vector<Change>{upsert(2, 200), upsert(3)});
}

TEST_CASE("Rows that the copy has already are forgotten", "[storage]") {
    Stage stage;
    stage.start(7);
    stage.say(relation(), 7);
    stage.insert(1, 7);
    stage.stop();
    stage.assembler.skip_streamed(7);
    CHECK(stage.commit(7).empty());
}

TEST_CASE("One that finds no room on disk is given up, and the others go on", "[storage]") {
    Stage stage{{.memory_max = 1, .disk_max = 1U << 30U}};
    stage.room = GENERATE(0U, 1U, 5U);
    for (const std::uint32_t xid : {7U, 8U}) {
        stage.start(xid);
        stage.say(relation(100), xid);
        stage.say(relation(200), xid);
        stage.stop();
    }
    stage.start(7);
    for (std::uint64_t id = 0; id < 10; ++id) {
        stage.insert(id, 7);
    }
    CHECK(stage.alive == 0);
    stage.stop();
    SECTION("it commits") {
        CHECK(stage.commit(7).empty());
        REQUIRE(stage.assembler.failures().size() == 1);
        CHECK(stage.assembler.failures().at({100}).ends_with("on disk: It is full."));
    }
    SECTION("it is rolled back") {
        stage.say(pgoutput::StreamAbort{7, 7});
        stage.room = 5;
        stage.start(8);
        stage.insert(1, 8, 200);
        stage.stop();
        CHECK(stage.commit(8) == std::vector<Change>{upsert(1, 200)});
        CHECK(stage.assembler.failures().empty());
    }
}

TEST_CASE(
    "The largest transaction goes to the disk, and not more than there is room", "[storage]"
) {
    Stage stage{{.memory_max = 20'000, .disk_max = 10'000, .spilled_max = 1}};
    for (const std::uint32_t xid : {7U, 8U}) {
        stage.start(xid);
        stage.say(relation(), xid);
        stage.insert(xid, xid);
        stage.stop();
    }
    stage.start(7);
    for (std::uint64_t id = 10; stage.alive == 0; ++id) {
        stage.insert(id, 7);
    }
    stage.stop();
    stage.start(8);
    stage.insert(9, 8);
    CHECK(stage.alive == 1);
    SECTION("both fit") {
        stage.stop();
        CHECK(stage.commit(7).size() > 20);
        CHECK(stage.commit(8) == std::vector<Change>{upsert(8), upsert(9)});
        CHECK(stage.assembler.failures().empty());
    }
    SECTION("a second one is too many") {
        for (std::uint64_t id = 10; id < 500; ++id) {
            stage.insert(id, 8);
        }
        stage.stop();
        CHECK(stage.commit(8).empty());
        CHECK(stage.assembler.failures().at({100}).ends_with("copying the table is cheaper"));
    }
    SECTION("the one that is on disk does not") {
        stage.stop();
        stage.start(7);
        for (std::uint64_t id = 1'000; id < 1'200; ++id) {
            stage.insert(id, 7);
        }
        CHECK(stage.alive == 0);
        stage.stop();
        SECTION("and is rolled back") {
            stage.say(pgoutput::StreamAbort{7, 7});
            CHECK(stage.commit(8) == std::vector<Change>{upsert(8), upsert(9)});
            CHECK(stage.assembler.failures().empty());
        }
        SECTION("and commits") {
            CHECK(stage.commit(7).empty());
            CHECK(stage.assembler.failures().size() == 1);
        }
    }
}

TEST_CASE("One that comes whole goes to the disk, too", "[storage]") {
    Stage stage{{.memory_max = 5'000, .disk_max = 1U << 30U}};
    stage.say(pgoutput::Begin{{0x10}, 66, 5});
    stage.say(relation());
    for (std::uint64_t id = 0; id < 200; ++id) {
        stage.insert(id, 0);
    }
    const auto transaction = stage.assembler.take(pgoutput::Commit{0, {0x10}, {0x20}, 66}).value();
    CHECK(transaction->changes.empty());
    CHECK(transaction->timestamp == 66);
    const auto spilled = stage.assembler.take_spilled();
    REQUIRE(spilled.has_value());
    CHECK(Stage::counted(*spilled).size() == 200);
    CHECK_FALSE(stage.assembler.take_spilled().has_value());
}

TEST_CASE("However transactions interleave, each comes out as its model says", "[storage]") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    for (int round = 0; round < 200; ++round) {
        Stage stage{{.memory_max = random() % 20'000 + 1, .disk_max = 1U << 30U}};
        std::map<std::uint32_t, std::vector<std::pair<std::uint32_t, Change>>> models;
        std::uint32_t next_subxid = 1'000;
        std::uint64_t next_id = 0;
        for (int step = 0; step < 60; ++step) {
            const auto xid = static_cast<std::uint32_t>(1 + random() % 4);
            auto& model = models[xid];
            const auto end = random() % 12;
            if (end > 1 || model.empty()) {
                stage.start(xid);
                stage.say(relation(), xid);
                for (auto left = random() % 20 + 1; left > 0; --left) {
                    next_subxid += random() % 4 == 0 ? 1 : 0;
                    const std::uint32_t subxid = random() % 3 == 0 ? xid : next_subxid;
                    stage.insert(++next_id, subxid);
                    model.emplace_back(subxid, upsert(next_id));
                }
                stage.stop();
                const std::uint32_t aborted = model[random() % model.size()].first;
                if (random() % 3 == 0 && aborted != xid) {
                    stage.say(pgoutput::StreamAbort{xid, aborted});
                    std::erase_if(model, [&](const auto& one) { return one.first == aborted; });
                    ++next_subxid;
                }
                continue;
            }
            if (end == 0) {
                stage.say(pgoutput::StreamAbort{xid, xid});
            } else {
                std::vector<Change> expected;
                for (const auto& [subxid, change] : model) {
                    expected.push_back(change);
                }
                REQUIRE(stage.commit(xid) == expected);
            }
            models.erase(xid);
            std::erase(stage.known, xid);
        }
        CHECK(stage.assembler.failures().empty());
    }
}
