#include "storage/sync/large_commit.hpp"

#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <map>

// A transaction is applied part by part, and each part may be the last thing that a life of veer
// does: whenever that is, the next one ends what was begun, and the rows are those of all of it.

using namespace veer::storage;
using namespace veer::storage::sync;
using veer::tests::floats;
using veer::tests::key_of;
using veer::tests::sample_table;

namespace {

constexpr std::uint64_t count = 2'600;
constexpr std::uint32_t xid = 7;
using Rows = std::map<RowKey, std::vector<VectorValue>>;

class Directory {
  public:
    Directory()
        : path_{
              std::filesystem::temp_directory_path() /
              ("veer_commit_" + std::to_string(getpid()))} {
        std::filesystem::remove_all(path_);
    }

    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    ~Directory() { std::filesystem::remove_all(path_); }

    store::Store open() const { return store::Store::open(path_.string()).value(); }

    bool has_files() const { return std::filesystem::exists(path_ / "transactions"); }

    std::size_t files() const {
        std::error_code none;
        const auto found =
            std::filesystem::directory_iterator{path_ / "transactions" / std::to_string(xid), none};
        return static_cast<std::size_t>(std::distance(begin(found), end(found)));
    }

    void lose_files() const { std::filesystem::remove_all(path_ / "transactions"); }

  private:
    std::filesystem::path path_;
};

Result<void> go_on() {
    return {};
}

Row row(std::uint64_t id, float value) {
    return {key_of(id), {floats({value, value}), NullVector{}}};
}

/// A copy of two tables with a row each, as of 0/100.
void fill(store::Store& store) {
    store::SyncState state;
    state.system_id = "7";
    state.database = "app";
    state.tables = {sample_table(100), sample_table(200)};
    store.reset(state).value();
    for (const TableOid table : {TableOid{100}, TableOid{200}}) {
        store.write_rows(table, std::vector<Row>{row(1'000'000, 9)}).value();
    }
    store.finish_copy({0x100}).value();
}

/// Each row comes, gets another key with the vector that it had, and every other one goes; those of
/// subtransaction 8 do not count. Table 300 is joining.
store::CommitRecord spill(store::Store& store) {
    const auto files = store.open_spill(xid).value();
    for (std::uint64_t id = 0; id < count; ++id) {
        files->add(xid, Upsert{{100}, {}, row(id, static_cast<float>(id))}).value();
    }
    for (std::uint64_t id = 0; id < count; ++id) {
        const Row moved{key_of(id + 10'000), {UnchangedVector{}, NullVector{}}};
        files->add(xid, Upsert{{100}, key_of(id), moved}).value();
        files->add(8, Delete{{100}, key_of(id + 10'000)}).value();
        files->add(xid, Upsert{{300}, {}, row(id, 3)}).value();
    }
    for (std::uint64_t id = 0; id < count; id += 2) {
        files->add(9, Delete{{100}, key_of(id + 10'000)}).value();
    }
    files->seal().value();
    store::CommitRecord record;
    record.xid = xid;
    record.commit_lsn = {0x200};
    record.end_lsn = {0x210};
    record.history.landmark = {{0x200}, 5, xid};
    record.aborted = {8};
    record.joining = TableOid{300};
    record.count = files->count();
    store.begin_commit(record).value();
    return record;
}

Rows rows_of(const store::Store& store, TableOid table) {
    Rows rows;
    store
        .for_each_row(
            table,
            [&](Row&& one) {
                rows.emplace(std::move(one.key), std::move(one.vectors));
                return true;
            }
        )
        .value();
    return rows;
}

Rows expected() {
    Rows rows{{key_of(1'000'000), {floats({9, 9}), NullVector{}}}};
    for (std::uint64_t id = 1; id < count; id += 2) {
        rows[key_of(id + 10'000)] = row(id, static_cast<float>(id)).vectors;
    }
    return rows;
}

std::size_t spooled(const store::Store& store) {
    std::size_t changes = 0;
    store::SpoolWindow window;
    for (auto page = store.read_spool({300}).value(); !page.changes.empty();
         page = store.read_spool({300}, window).value()) {
        changes += page.changes.size();
        window.from = {page.last.commit_lsn, page.last.place + 1};
    }
    return changes;
}

}  // namespace

TEST_CASE("Whenever the application of a large transaction ends, it goes on there", "[storage]") {
    bool ended = false;
    std::size_t dies_after = 0;
    for (; !ended; ++dies_after) {
        const Directory directory;
        {
            store::Store store = directory.open();
            fill(store);
            LargeCommit commit{store, spill(store), 0};
            for (std::size_t parts = 0; parts < dies_after && !ended; ++parts) {
                const auto part = commit.next(store.state().value()->tables).value();
                ended = !part.has_value();
                if (ended) {
                    break;
                }
                CHECK(part->lost.empty());
                commit.write(*part).value();
            }
            CHECK(store.state().value()->applied == Lsn{0x100});
        }
        store::Store store = directory.open();
        REQUIRE(store.commit_under_way().value().has_value());
        finish_commit(store, 0, go_on).value();
        CHECK(rows_of(store, {100}) == expected());
        CHECK(rows_of(store, {200}).size() == 1);
        CHECK(spooled(store) == count);
        const auto state = store.state().value();
        CHECK(state->applied == Lsn{0x210});
        CHECK(state->history.landmark == store::Landmark{{0x200}, 5, xid});
        CHECK_FALSE(store.commit_under_way().value().has_value());
        CHECK_FALSE(directory.has_files());
        finish_commit(store, 0, go_on).value();
        CHECK(rows_of(store, {100}) == expected());
    }
    CHECK(dies_after > 5);
}

TEST_CASE("What is interrupted goes on where it was, with the files that are left", "[storage]") {
    constexpr std::uint32_t rows = 1'400;  // in two files
    const Directory directory;
    const auto row_of = [](std::uint64_t id) {
        const std::vector<float> values(16'000, static_cast<float>(id));
        return Row{key_of(id), {floats(values), NullVector{}}};
    };
    store::Store store = directory.open();
    fill(store);
    const auto files = store.open_spill(xid).value();
    for (std::uint64_t id = 0; id < rows; ++id) {
        files->add(xid, Upsert{{100}, {}, row_of(id)}).value();
    }
    files->seal().value();
    store::CommitRecord record;
    record.xid = xid;
    record.end_lsn = {0x210};
    record.count = files->count();
    store.begin_commit(record).value();
    CHECK(directory.files() == 2);
    int lives = 0;
    int lives_with_one = 0;
    bool ended = false;
    for (; !ended; ++lives) {
        int parts = 0;
        const auto finished = finish_commit(store, 0, [&]() -> Result<void> {
            return ++parts > 2 ? Result<void>{Error{Errc::connection, "veer is stopping."}}
                               : Result<void>{};
        });
        ended = finished.has_value();
        lives_with_one += directory.files() == 1 ? 1 : 0;
        CHECK((ended || finished.error().code == Errc::connection));
        CHECK(store.commit_under_way().value().has_value() != ended);
    }
    CHECK(lives > 2);
    CHECK(lives_with_one > 0);
    CHECK(directory.files() == 0);
    CHECK(store.state().value()->applied == Lsn{0x210});
    std::uint64_t next = 0;
    store
        .for_each_row(
            {100},
            [&](Row&& one) {
                CHECK((one.key == key_of(1'000'000) || one == row_of(next)));
                ++next;
                return true;
            }
        )
        .value();
    CHECK(next == rows + 1);
}

TEST_CASE("A table of which a row is lost leaves, and the others get theirs", "[storage]") {
    const Directory directory;
    store::Store store = directory.open();
    fill(store);
    store::CommitRecord record;
    record.xid = xid;
    record.end_lsn = {0x210};
    const auto files = store.open_spill(xid).value();
    files->add(xid, Upsert{{100}, {}, {key_of(5), {UnchangedVector{}, NullVector{}}}}).value();
    files->add(xid, Upsert{{200}, {}, row(6, 6)}).value();
    files->seal().value();
    record.count = files->count();
    store.begin_commit(record).value();
    finish_commit(store, 0, go_on).value();
    const auto tables = store.state().value()->tables;
    REQUIRE(tables.size() == 1);
    CHECK(tables.front().oid == TableOid{200});
    CHECK(rows_of(store, {100}).empty());
    CHECK(rows_of(store, {200}).size() == 2);
}

TEST_CASE("Rows from before a table left do not count", "[storage]") {
    const Directory directory;
    store::Store store = directory.open();
    fill(store);
    store::CommitRecord record;
    record.xid = xid;
    record.end_lsn = {0x210};
    record.left = {{{100}, 1}};
    const auto files = store.open_spill(xid).value();
    for (const std::uint64_t id : {5U, 6U}) {
        files->add(xid, Upsert{{100}, {}, row(id, 6)}).value();
    }
    files->seal().value();
    record.count = files->count();
    store.begin_commit(record).value();
    finish_commit(store, 0, go_on).value();
    CHECK_FALSE(rows_of(store, {100}).contains(key_of(5)));
    CHECK(rows_of(store, {100}).contains(key_of(6)));
}

TEST_CASE("What cannot be gone on with is copied anew, and forgotten with the copy", "[storage]") {
    const Directory directory;
    store::Store store = directory.open();
    fill(store);
    spill(store);
    directory.lose_files();
    const auto finished = finish_commit(store, 0, go_on);
    REQUIRE(finished.has_error());
    CHECK(finished.error().code == Errc::gone);
    fill(store);
    CHECK_FALSE(store.commit_under_way().value().has_value());
    CHECK(finish_commit(store, 0, go_on).has_value());
}

TEST_CASE("A joining table's spool is bounded inside a large transaction, too", "[storage]") {
    constexpr std::uint64_t spool_max = 20'000;  // of more than 60,000 bytes
    const Directory directory;
    std::uint64_t kept = 0;
    {
        store::Store store = directory.open();
        fill(store);
        store::CopyRecord copy;
        copy.table = sample_table(300);
        store.save_copy(copy).value();
        LargeCommit commit{store, spill(store), spool_max};
        while (!commit.spool_full()) {
            const auto part = commit.next(store.state().value()->tables).value();
            REQUIRE(part.has_value());
            CHECK_FALSE(store.copy().value()->unreadable == Lsn{0x200});
            commit.write(*part).value();
        }
        kept = spooled(store);
        CHECK(kept > 0);
        CHECK(store.copy().value()->unreadable == Lsn{0x200});
        const auto part = commit.next(store.state().value()->tables).value();
        REQUIRE(part.has_value());
        CHECK_FALSE(part->changes.empty());
        CHECK(part->spooled.empty());
        commit.write(*part).value();
    }
    store::Store store = directory.open();
    CHECK(store.spooled() > spool_max);
    finish_commit(store, spool_max, go_on).value();
    CHECK(spooled(store) < count);
    CHECK(spooled(store) <= kept + 1'000);  // a part of each life
    CHECK(store.copy().value()->unreadable == Lsn{0x200});
    CHECK(rows_of(store, {100}) == expected());
    CHECK(store.state().value()->applied == Lsn{0x210});
}
