#include "storage/store/store.hpp"

#include "storage/store/encoding.hpp"
#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <rocksdb/db.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

using namespace veer::storage;
using veer::storage::store::CopyPhase;
using veer::storage::store::History;
using veer::storage::store::meta_key;
using veer::storage::store::Store;
using veer::storage::store::SyncState;
using veer::tests::floats;
using veer::tests::key_of;
using veer::tests::row_of;
using veer::tests::sample_table;

namespace {

namespace fs = std::filesystem;

constexpr TableOid table{100};

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = (fs::temp_directory_path() / "veer-store-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }

    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    ~TemporaryDirectory() { fs::remove_all(path_); }

    std::string operator/(const std::string& name) const { return path_ / name; }

  private:
    fs::path path_;
};

SyncState copying_state() {
    SyncState state;
    state.system_id = "7";
    state.database = "app";
    state.tables = {sample_table()};
    return state;
}

/// A store with two rows, streaming as of 0/100.
Store filled_store(const std::string& directory) {
    Store store = Store::open(directory).value();
    store.reset(copying_state()).value();
    const std::vector<Row> rows{
        row_of(1, floats({1, 1}), NullVector{}), row_of(2, floats({2, 2}), floats({3}))};
    store.write_rows(table, rows).value();
    store.finish_copy({0x100}).value();
    return store;
}

std::vector<Row> all_rows(const Store& store) {
    std::vector<Row> rows;
    store
        .for_each_row(
            table,
            [&](Row&& row) {
                rows.push_back(std::move(row));
                return true;
            }
        )
        .value();
    return rows;
}

}  // namespace

TEST_CASE("A new store has a name and no state, and a directory of its own", "[storage]") {
    const TemporaryDirectory temporary;
    std::string name;
    {
        const Store store = Store::open(temporary / "a/b").value();
        name = store.instance();
        CHECK(name.size() == 8);
        CHECK_FALSE(store.state().value().has_value());
        CHECK(fs::status(temporary / "a/b").permissions() == fs::perms::owner_all);
    }
    CHECK(Store::open(temporary / "a/b").value().instance() == name);
}

TEST_CASE(
    "A store of before there were copied columns is emptied, and keeps its name", "[storage]"
) {
    const TemporaryDirectory temporary;
    std::string name;
    {
        Store store = filled_store(temporary / "s");
        name = store.instance();
    }
    rocksdb::DB* opened = nullptr;
    REQUIRE(rocksdb::DB::Open({}, temporary / "s", &opened).ok());
    std::unique_ptr<rocksdb::DB> db{opened};
    REQUIRE(db->Put({}, meta_key("format"), "veer store 1").ok());
    REQUIRE(db->Put({}, meta_key("state"), "of another format").ok());
    SECTION("of the version before") {
        db.reset();
        const Store store = Store::open(temporary / "s").value();
        CHECK(store.instance() == name);
        CHECK_FALSE(store.state().value().has_value());
        CHECK(all_rows(store).empty());
    }
    SECTION("of a version to come") {
        REQUIRE(db->Put({}, meta_key("format"), "veer store 99").ok());
        db.reset();
        CHECK(Store::open(temporary / "s").error().code == Errc::disk);
    }
}

TEST_CASE("With a commit under way a store is of a format that those before refuse", "[storage]") {
    const TemporaryDirectory temporary;
    const auto format = [&] {
        rocksdb::DB* opened = nullptr;
        REQUIRE(rocksdb::DB::OpenForReadOnly({}, temporary / "s", &opened).ok());
        const std::unique_ptr<rocksdb::DB> db{opened};
        std::string found;
        REQUIRE(db->Get({}, meta_key("format"), &found).ok());
        return found;
    };
    {
        Store store = filled_store(temporary / "s");
        store.open_spill(7).value()->seal().value();
        CHECK(format() == "veer store 4");
        store::CommitRecord begun;
        begun.xid = 7;
        begun.end_lsn = {0x200};
        store.begin_commit(begun).value();
    }
    CHECK(format() == "veer store 5");
    {
        Store store = Store::open(temporary / "s").value();
        CHECK(store.state().value()->applied == Lsn{0x100});
        CHECK(all_rows(store).size() == 2);
        REQUIRE(store.commit_under_way().value().has_value());
        SECTION("it ends") {
            store.end_commit({0x200}, {}).value();
        }
        SECTION("it is forgotten with the copy") {
            store.reset(copying_state()).value();
        }
        CHECK_FALSE(store.commit_under_way().value().has_value());
    }
    CHECK(format() == "veer store 4");
}

TEST_CASE("A copy is streaming only when it is finished", "[storage]") {
    const TemporaryDirectory temporary;
    {
        Store store = Store::open(temporary / "s").value();
        store.reset(copying_state()).value();
        store.write_rows(table, std::vector{row_of(1, floats({1, 1}), NullVector{})}).value();
    }
    Store store = Store::open(temporary / "s").value();
    CHECK(store.state().value()->phase == CopyPhase::copying);
    store.finish_copy({0x200}).value();
    CHECK(store.state().value()->phase == CopyPhase::streaming);
    CHECK(store.state().value()->applied == Lsn{0x200});
    CHECK(store.state().value()->tables[0].same_shape(sample_table()));
}

TEST_CASE("Changes and their position are there after reopening", "[storage]") {
    const TemporaryDirectory temporary;
    {
        Store store = filled_store(temporary / "s");
        const std::vector<Change> changes{
            Upsert{table, key_of(1), row_of(9, floats({9, 9}), NullVector{})},
            Delete{table, key_of(2)},
            Upsert{table, std::nullopt, row_of(3, NullVector{}, NullVector{})},
        };
        store.write(changes, {0x300}).value();
        CHECK(store.sync().value() == Lsn{0x300});
    }
    const Store store = Store::open(temporary / "s").value();
    CHECK(store.state().value()->applied == Lsn{0x300});
    CHECK_FALSE(store.get(table, key_of(1)).value().has_value());
    CHECK_FALSE(store.get(table, key_of(2)).value().has_value());
    CHECK(store.get(table, key_of(9)).value() == row_of(9, floats({9, 9}), NullVector{}));
    CHECK(all_rows(store).size() == 2);
}

TEST_CASE("A batch that cannot be written leaves nothing of itself", "[storage]") {
    const TemporaryDirectory temporary;
    Store store = filled_store(temporary / "s");
    const std::vector<Change> changes{
        Delete{table, key_of(1)},
        Upsert{table, std::nullopt, row_of(2, UnchangedVector{}, NullVector{})},
    };
    CHECK(store.write(changes, {0x300}).error().code == Errc::unexpected);
    CHECK(all_rows(store).size() == 2);
    CHECK(store.state().value()->applied == Lsn{0x100});
}

TEST_CASE("Redefined tables keep their rows, and those that left lose them", "[storage]") {
    const TemporaryDirectory temporary;
    {
        Store store = Store::open(temporary / "s").value();
        SyncState state = copying_state();
        state.tables = {sample_table(100), sample_table(101)};
        state.history.timeline = 3;
        store.reset(state).value();
        store.write_rows({100}, std::vector{row_of(1, floats({1, 1}), NullVector{})}).value();
        store.write_rows({101}, std::vector{row_of(1, floats({1, 1}), NullVector{})}).value();
        store.finish_copy({0x100}).value();
        store.write({}, {0x200}, History{4, {{0x150}, 7, 8}, {}}).value();
        Table renamed = sample_table(101);
        renamed.name = "things";
        store.redefine({renamed}, "p2;").value();
    }
    const Store store = Store::open(temporary / "s").value();
    const SyncState state = store.state().value().value();
    REQUIRE(state.tables.size() == 1);
    CHECK(state.tables[0].name == "things");
    CHECK(state.publication_fingerprint == "p2;");
    CHECK(state.phase == CopyPhase::streaming);
    CHECK(state.applied == Lsn{0x200});
    CHECK(state.history == History{4, {{0x150}, 7, 8}, {}});
    CHECK(store.get({101}, key_of(1)).value().has_value());
    CHECK_FALSE(store.get({100}, key_of(1)).value().has_value());
}

TEST_CASE("A truncation empties its table, keeps the others and what follows it", "[storage]") {
    const TemporaryDirectory temporary;
    Store store = filled_store(temporary / "s");
    const TableOid other{101};
    store.write_rows(other, std::vector{row_of(1, NullVector{}, NullVector{})}).value();
    const std::vector<Change> changes{
        Upsert{table, std::nullopt, row_of(4, NullVector{}, NullVector{})},
        Truncate{{table}},
        Upsert{table, std::nullopt, row_of(5, NullVector{}, NullVector{})},
    };
    store.write(changes, {0x300}).value();
    CHECK(all_rows(store) == std::vector{row_of(5, NullVector{}, NullVector{})});
    CHECK(store.get(other, key_of(1)).value().has_value());
}

TEST_CASE("A reset forgets every row and keeps the store's name", "[storage]") {
    const TemporaryDirectory temporary;
    std::string name;
    {
        Store store = filled_store(temporary / "s");
        name = store.instance();
        store.reset(copying_state()).value();
    }
    const Store store = Store::open(temporary / "s").value();
    CHECK(all_rows(store).empty());
    CHECK(store.instance() == name);
    CHECK(store.state().value()->phase == CopyPhase::copying);
    CHECK(store.state().value()->applied == Lsn{});
}

TEST_CASE("A visit ends when the visitor says so", "[storage]") {
    const TemporaryDirectory temporary;
    const Store store = filled_store(temporary / "s");
    int visited = 0;
    store.for_each_row(table, [&](Row&&) { return ++visited < 1; }).value();
    CHECK(visited == 1);
}

TEST_CASE("A directory that cannot be made is a disk error with its name", "[storage]") {
    const TemporaryDirectory temporary;
    std::ofstream{temporary / "file"} << "x";
    const auto opened = Store::open(temporary / "file/s");
    REQUIRE(opened.has_error());
    CHECK(opened.error().code == Errc::disk);
    CHECK(opened.error().message.find(temporary / "file/s") != std::string::npos);
}

TEST_CASE("A store that is open elsewhere is refused", "[storage]") {
    const TemporaryDirectory temporary;
    const Store store = filled_store(temporary / "s");
    const auto again = Store::open(temporary / "s");
    REQUIRE(again.has_error());
    CHECK(again.error().code == Errc::disk);
}

TEST_CASE("A store whose files are damaged says so", "[storage]") {
    const TemporaryDirectory temporary;
    { const Store store = filled_store(temporary / "s"); }
    std::ofstream{temporary / "s/CURRENT"} << "nonsense\n";
    CHECK(Store::open(temporary / "s").error().code == Errc::disk);
}

TEST_CASE("A full disk is an error, and what was durable is there afterwards", "[storage]") {
    const TemporaryDirectory temporary;
    std::optional<Store> store = filled_store(temporary / "s");
    store->sync().value();
    // A limit on the size of files stands in for the full disk.
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit tight = before;
    tight.rlim_cur = 256U << 10U;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &tight) == 0);
    Result<void> written;
    std::uint64_t position = 0x100;
    Lsn last_written{position};
    while (written.has_value() && position < 0x1000) {
        const std::vector<Change> changes{Upsert{
            table,
            std::nullopt,
            row_of(position, floats(std::vector<float>(4'000, 1)), NullVector{})}};
        written = store->write(changes, {++position});
        last_written = written.has_value() ? Lsn{position} : last_written;
    }
    const bool failed = written.has_error();
    store.reset();
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    REQUIRE(failed);
    CHECK(written.error().code == Errc::disk);

    const Store again = Store::open(temporary / "s").value();
    CHECK(again.state().value()->applied == last_written);
    CHECK(all_rows(again).size() == 2 + last_written.value - 0x100);
}

TEST_CASE("Copies that were cut short are forgotten, complete tables are not", "[storage]") {
    const TemporaryDirectory temporary;
    Store store = filled_store(temporary / "s");
    const std::vector<Row> before = all_rows(store);
    const std::vector<Row> rows{row_of(1, floats({1, 2}), NullVector{})};
    const std::vector<Change> changes{Delete{{101}, key_of(1)}};
    // Before it, after it, and where an OID's last byte is the greatest.
    for (const std::uint32_t oid : {1U, 99U, 101U, 0xFFU, 0xFFFFFFFFU}) {
        store.write_rows({oid}, rows).value();
    }
    store.write({}, {0x200}, {}, {{101}, {0x180}, changes}).value();
    store.forget_others({sample_table(0xFF), sample_table(100)}).value();
    CHECK(all_rows(store) == before);
    CHECK(store.get({0xFF}, key_of(1)).value().has_value());
    for (const std::uint32_t oid : {1U, 99U, 101U, 0xFFFFFFFFU}) {
        CHECK_FALSE(store.get({oid}, key_of(1)).value().has_value());
    }
    CHECK(store.read_spool({101}).value().changes.empty());
}

TEST_CASE("A copy that was cut short is kept where it can go on", "[storage]") {
    const TemporaryDirectory temporary;
    std::optional<Store> store = filled_store(temporary / "s");
    CHECK_FALSE(store->copy().value().has_value());
    veer::storage::store::CopyRecord record;
    record.table = sample_table(101);
    record.publication_fingerprint = "p:1:101:1;";
    record.first = {0x150};
    record.last = {0x180};
    record.done = {{0, 7}, {9, veer::storage::store::PageRange::no_end}};
    record.rows = 5;
    record.bytes = 6;
    store->write_rows({101}, std::vector<Row>{row_of(1, floats({1, 2}), NullVector{})}).value();
    const std::vector<Change> changes{Delete{{101}, key_of(1)}, Delete{{101}, key_of(2)}};
    store->write({}, {0x200}, {}, {{101}, {0x180}, changes}).value();
    store->save_copy(record).value();
    store.reset();
    store.emplace(Store::open(temporary / "s").value());
    CHECK(store->copy().value()->unreadable == Lsn{});
    store->note_unreadable({0x190}).value();
    store->forget_others({sample_table(100)}, TableOid{101}).value();
    const veer::storage::store::CopyRecord kept = store->copy().value().value();
    CHECK(encode_copy(kept) == encode_copy(record));
    CHECK(kept.table.same_shape(record.table));
    CHECK(kept.done == record.done);
    CHECK(kept.unreadable == Lsn{0x190});
    CHECK(store->get({101}, key_of(1)).value().has_value());
    CHECK(store->read_spool({101}).value().changes.size() == 2);
    CHECK(store->read_spool({101}, {{}, {0x180}}).value().changes.empty());
    CHECK(store->read_spool({101}, {{{0x180}, 1}}).value().changes.size() == 1);
    SECTION("it is forgotten") {
        store->forget({101}).value();
        CHECK_FALSE(store->get({101}, key_of(1)).value().has_value());
    }
    SECTION("another one goes on") {
        store->forget_others({sample_table(100)}).value();
        CHECK_FALSE(store->get({101}, key_of(1)).value().has_value());
    }
    SECTION("it is complete") {
        store->join({sample_table(100), sample_table(101)}, "p:1:101:1;").value();
        CHECK(store->get({101}, key_of(1)).value().has_value());
        CHECK(store->state().value()->tables.size() == 2);
    }
    CHECK_FALSE(store->copy().value().has_value());
    CHECK(all_rows(*store).size() == 2);
}

namespace {

constexpr std::uint64_t many = 1'500;

/// 3 MB, of keys that come in any order; what they hold says when they were written.
std::vector<Row> many_rows(float written) {
    std::vector<Row> rows;
    for (std::uint64_t i = 0; i < many; ++i) {
        rows.push_back(row_of(
            1 + i * 7 % many,
            floats(std::vector<float>(512, written)),
            floats({static_cast<float>(i)})
        ));
    }
    return rows;
}

float written_in(const Store& store, std::uint64_t id) {
    const auto row = store.get(table, key_of(id)).value();
    return row.has_value() ? std::get<std::vector<float>>(*vector_in(row->vectors[0])).front() : 0;
}

}  // namespace

TEST_CASE("Many rows of a copy are there at once, and are what was written last", "[storage]") {
    const TemporaryDirectory temporary;
    std::optional<Store> store = filled_store(temporary / "s");
    auto before = store->view();
    store->write_rows(table, many_rows(5)).value();
    std::vector<Row> sorted = many_rows(5);
    std::sort(sorted.begin(), sorted.end(), [](const Row& one, const Row& other) {
        return one.key < other.key;
    });
    CHECK(all_rows(*store) == sorted);
    std::size_t seen = 0;
    const auto count = [&seen](Row&& /*row*/) {
        ++seen;
        return true;
    };
    before->for_each_row(table, std::nullopt, count).value();
    CHECK(seen == 2);
    before.reset();

    const std::vector<Change> changes{
        Delete{table, key_of(3)},
        Upsert{table, std::nullopt, row_of(4, floats({6, 6}), NullVector{})}};
    store->write(changes, {0x200}).value();
    CHECK(written_in(*store, 3) == 0);
    CHECK(written_in(*store, 4) == 6);
    store->write_rows(table, many_rows(7)).value();
    CHECK(written_in(*store, 3) == 7);
    CHECK(written_in(*store, 4) == 7);

    store.reset();
    store.emplace(Store::open(temporary / "s").value());
    CHECK(written_in(*store, many) == 7);
    store->forget(table).value();
    CHECK(all_rows(*store).empty());
}

namespace {

/// Of RocksDB's own files, without its log.
std::uintmax_t table_bytes(const fs::path& directory) {
    std::uintmax_t bytes = 0;
    for (const auto& file : fs::directory_iterator{directory}) {
        bytes += file.path().extension() == ".sst" ? file.file_size() : 0;
    }
    return bytes;
}

/// Several files of them, in ascending order.
void write_ascending(Store& store, TableOid of) {
    for (std::uint64_t file = 0; file < 4; ++file) {
        std::vector<Row> rows = many_rows(5);
        for (std::uint64_t i = 0; i < rows.size(); ++i) {
            rows[i].key = key_of(file * many + i);
        }
        store.write_rows(of, rows).value();
    }
}

}  // namespace

TEST_CASE("What is forgotten gives its disk space back", "[storage]") {
    const TemporaryDirectory temporary;
    const fs::path directory{temporary / "s"};
    std::optional<Store> store = filled_store(directory);
    write_ascending(*store, {99});
    write_ascending(*store, {101});
    const std::uintmax_t both = table_bytes(directory);
    REQUIRE(both > (20U << 20U));
    const auto gone = [&] {
        return !store->get({101}, key_of(1)).value().has_value();
    };
    SECTION("a copy that was for nothing") {
        store->forget({101}).value();
    }
    SECTION("one that nobody goes on with") {
        store->forget_others({sample_table(100), sample_table(99)}).value();
    }
    SECTION("a table that leaves") {
        store->join({sample_table(99), sample_table(100), sample_table(101)}, "").value();
        store->redefine({sample_table(99), sample_table(100)}, "").value();
    }
    CHECK(gone());
    CHECK(table_bytes(directory) < both * 6 / 10);
    CHECK(all_rows(*store).size() == 2);
    store.reset();
    store.emplace(Store::open(directory).value());
    CHECK(gone());
    CHECK(store->get({99}, key_of(1)).value().has_value());
    CHECK(store->get({99}, key_of(4 * many - 1)).value().has_value());
    write_ascending(*store, {101});
    CHECK(store->get({101}, key_of(1)).value().has_value());
}

TEST_CASE("What was to become many rows of a copy is not kept", "[storage]") {
    const TemporaryDirectory temporary;
    const fs::path loading = fs::path{temporary / "s"} / "loading";
    std::optional<Store> store = filled_store(temporary / "s");
    SECTION("where veer died before") {
        store.reset();
        std::ofstream{loading / "0.sst"} << "half of it";
        store.emplace(Store::open(temporary / "s").value());
    }
    SECTION("where it cannot be written") {
        fs::remove(loading);
        CHECK(store->write_rows(table, many_rows(5)).error().code == Errc::disk);
        fs::create_directory(loading);
    }
    SECTION("nor when it is there") {
        store->write_rows(table, many_rows(5)).value();
    }
    CHECK(fs::is_empty(loading));
    CHECK(all_rows(*store).size() > 1);
}
