#include "storage/sync/write_watch.hpp"

#include "storage/store/store.hpp"
#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <unistd.h>

#include <filesystem>
#include <vector>

using namespace veer::storage;
using sync::WriteWatch;
using veer::tests::floats;
using veer::tests::key_of;
using veer::tests::row_of;

namespace {

constexpr TableOid table{100};
constexpr TableOid other{200};

/// A store in a directory of its own, as the stream's thread writes it.
class Stream {
  public:
    Stream()
        : path_{std::filesystem::temp_directory_path() / ("veer_watch_" + std::to_string(getpid()))},
          store_{opened(path_)} {}

    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    ~Stream() { std::filesystem::remove_all(path_); }

    void commit(std::uint64_t lsn, std::vector<Change> changes) {
        const Transaction transaction{{lsn}, {lsn + 1}, std::move(changes), 1, 0};
        watch.note(transaction);
        store_.write(transaction.changes, transaction.end_lsn).value();
    }

    std::vector<RowKey> keys_at(std::uint64_t point) {
        std::vector<RowKey> keys;
        const auto view = watch.view_at({point}).value();
        view->for_each_row(
                table,
                std::nullopt,
                [&](Row&& row) {
                    keys.push_back(row.key);
                    return true;
                }
        ).value();
        return keys;
    }

  private:
    static store::Store opened(const std::filesystem::path& path) {
        std::filesystem::remove_all(path);
        return store::Store::open(path.string()).value();
    }

    std::filesystem::path path_;
    store::Store store_;

  public:
    WriteWatch watch{[this] {
        return store_.view();
    }};
};

Change put(std::uint64_t id, TableOid in = table) {
    return Upsert{in, std::nullopt, row_of(id, floats({1, 2}), floats({3}))};
}

}  // namespace

TEST_CASE("A table is seen as it was at a position that came to be known later", "[storage]") {
    Stream stream;
    stream.commit(10, {put(1)});
    stream.watch.begin(table);
    stream.commit(20, {put(2)});
    stream.commit(25, {put(9, other)});
    stream.commit(30, {put(3)});
    stream.commit(40, {Delete{table, key_of(1)}});
    SECTION("between two commits") {
        CHECK(stream.keys_at(25) == std::vector{key_of(1), key_of(2)});
    }
    SECTION("at a commit: without it") {
        CHECK(stream.keys_at(30) == std::vector{key_of(1), key_of(2)});
    }
    SECTION("before all of them") {
        CHECK(stream.keys_at(11) == std::vector{key_of(1)});
    }
    SECTION("behind all of them, and a view does not change afterwards") {
        const auto view = stream.watch.view_at({50}).value();
        stream.commit(60, {put(4)});
        int rows = 0;
        view->for_each_row(table, std::nullopt, [&](Row&&) { return ++rows > 0; }).value();
        CHECK(rows == 2);
    }
    SECTION("from behind a key on") {
        std::vector<RowKey> keys;
        stream.watch.view_at({31})
            .value()
            ->for_each_row(
                table,
                key_of(1),
                [&](Row&& row) {
                    keys.push_back(row.key);
                    return true;
                }
            )
            .value();
        CHECK(keys == std::vector{key_of(2), key_of(3)});
    }
}

TEST_CASE("What was written since is known, row by row", "[storage]") {
    Stream stream;
    stream.watch.begin(table);
    stream.commit(20, {put(2)});
    stream.commit(30, {put(9, other), Delete{table, key_of(3)}});
    stream.commit(40, {Upsert{table, key_of(5), row_of(6, floats({1, 2}), floats({3}))}});
    const WriteWatch& watch = stream.watch;
    CHECK(watch.touched(key_of(2), {20}));
    CHECK_FALSE(watch.touched(key_of(2), {21}));
    CHECK(watch.touched(key_of(3), {21}));
    CHECK(watch.touched(key_of(5), {21}));
    CHECK(watch.touched(key_of(6), {21}));
    CHECK_FALSE(watch.touched(key_of(9), {1}));
    stream.commit(50, {Truncate{{table}}});
    CHECK(watch.touched(key_of(9), {50}));
    CHECK_FALSE(watch.touched(key_of(9), {51}));
    stream.watch.end();
    CHECK_FALSE(watch.touched(key_of(2), {20}));
}
