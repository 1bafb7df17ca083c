#include "storage/sync/spool_replay.hpp"

#include "storage/sync/page_ranges.hpp"
#include "storage/sync/snapshot_merge.hpp"
#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <random>

// A copy of a table while it changes: whatever the interleaving of the stream, the consistent point
// and the copy is, the rows are those of a model that applied every change in order.

using namespace veer::storage;
using namespace veer::storage::sync;
using veer::tests::floats;
using veer::tests::key_of;

namespace {

constexpr TableOid table{100};
constexpr std::uint32_t page_count = 6;
using Rows = std::map<RowKey, std::vector<VectorValue>>;

class Ignorant : public Observer {
  public:
    void begin(const std::string&, const std::vector<Table>&) override {}

    void rows(TableOid, std::span<const Row>) override {}

    void ready(Lsn) override {}

    void apply(const Transaction&) override {}

    void applied(Lsn) override {}

    void status(const Status&) override {}

    void catch_up(TableOid, std::span<const Change> changes) override { told += changes.size(); }

    std::size_t told = 0;
};

class Directory {
  public:
    Directory()
        : path_{
              std::filesystem::temp_directory_path() / ("veer_spool_" + std::to_string(getpid()))} {
        std::filesystem::remove_all(path_);
    }

    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    ~Directory() { std::filesystem::remove_all(path_); }

    std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

/// The table in Postgres: what happened to it, and how the stream tells it.
class Upstream {
  public:
    explicit Upstream(std::mt19937& random, bool truncates = true)
        : random_{random}, truncates_{truncates} {}

    /// One transaction of a few changes; returns them as the stream has them, unchanged vectors and
    /// all.
    Transaction commit() {
        Transaction transaction;
        position_ += 16;
        transaction.commit_lsn = {position_};
        transaction.end_lsn = {position_ + 8};
        for (auto left = random_() % 4 + 1; left > 0; --left) {
            transaction.changes.push_back(change());
        }
        return transaction;
    }

    Lsn position() const { return {position_}; }

    const Rows& rows() const { return rows_; }

    /// A snapshot of these pages.
    std::vector<Row> read(const store::PageRange& pages) const {
        std::vector<Row> read;
        for (const auto& [key, vectors] : rows_) {
            const std::uint32_t page = pages_.at(key);
            if (page >= pages.first && page < pages.end) {
                read.push_back({key, vectors});
            }
        }
        return read;
    }

  private:
    void put(const RowKey& key) {
        pages_[key] = static_cast<std::uint32_t>(random_() % page_count);
    }

    Change change() {
        const RowKey key = key_of(random_() % 12);
        const RowKey other = key_of(random_() % 12);
        if (truncates_ && random_() % 50 == 0) {
            rows_.clear();
            return Truncate{{table}};
        }
        const auto found = rows_.find(key);
        if (found == rows_.end()) {
            rows_[key] = {floats({++value_}), NullVector{}};
            put(key);
            return Upsert{table, std::nullopt, {key, rows_[key]}};
        }
        if (random_() % 2 == 0) {
            put(key);  // else it stays on its page
        }
        switch (random_() % 4) {
            case 0:
                rows_.erase(found);
                return Delete{table, key};
            case 1:
                found->second[1] = floats({++value_});
                return Upsert{table, std::nullopt, {key, {UnchangedVector{}, found->second[1]}}};
            case 2:
                if (!rows_.contains(other)) {
                    rows_[other] = std::move(found->second);
                    rows_.erase(key);
                    pages_[other] = pages_.at(key);
                    return Upsert{table, key, {other, {UnchangedVector{}, UnchangedVector{}}}};
                }
                [[fallthrough]];
            default:
                found->second[0] = floats({++value_});
                return Upsert{table, std::nullopt, {key, {found->second[0], UnchangedVector{}}}};
        }
    }

    std::mt19937& random_;
    bool truncates_;
    Rows rows_;
    std::map<RowKey, std::uint32_t> pages_;
    std::uint64_t position_ = 0x100;
    float value_ = 0;
};

Rows stored_rows(const store::Store& store) {
    Rows rows;
    store
        .for_each_row(
            table,
            [&](Row&& row) {
                rows.emplace(std::move(row.key), std::move(row.vectors));
                return true;
            }
        )
        .value();
    return rows;
}

}  // namespace

TEST_CASE("Whatever happens while a table is copied, its rows are those upstream", "[storage]") {
    const Directory directory;
    store::Store store = store::Store::open(directory.path()).value();
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    for (int round = 0; round < 150; ++round) {
        Upstream upstream{random};
        Ignorant observer;
        Progress progress{observer};
        store.forget(table).value();
        const auto follow = [&](int transactions, bool spooling) {
            for (int left = transactions; left > 0; --left) {
                const Transaction told = upstream.commit();
                store::Spool spool;
                if (spooling) {
                    spool = {table, told.commit_lsn, told.changes};
                }
                store.write({}, told.end_lsn, {}, spool).value();
            }
        };
        const auto some = [&] {
            return static_cast<int>(random() % 12);
        };
        follow(some(), false);
        follow(some(), true);  // in the spool, and in the snapshot
        const Lsn consistent_point{upstream.position().value + 1};
        std::vector<Row> snapshot;
        for (const auto& [key, vectors] : upstream.rows()) {
            snapshot.push_back({key, vectors});
        }
        const auto half = snapshot.begin() + static_cast<std::ptrdiff_t>(snapshot.size() / 2);
        store.write_rows(table, std::vector<Row>{snapshot.begin(), half}).value();
        follow(some(), true);
        store.write_rows(table, std::vector<Row>{half, snapshot.end()}).value();
        while (replay_spool(store, progress, table, consistent_point).value() > 0) {
            if (random() % 2 == 0) {
                follow(some() / 4, true);
            }
        }
        REQUIRE(stored_rows(store) == upstream.rows());
        REQUIRE(store.read_spool(table).value().changes.empty());
    }
}

TEST_CASE("A spool is used up page by page, and begins where it was left", "[storage]") {
    const Directory directory;
    Ignorant observer;
    Progress progress{observer};
    {
        store::Store store = store::Store::open(directory.path()).value();
        std::vector<Change> changes;
        for (std::uint64_t id = 0; id < 1'500; ++id) {
            changes.emplace_back(Upsert{table, std::nullopt, {key_of(id), {floats({1})}}});
        }
        store.write({}, {0x20}, {}, {table, {0x10}, changes}).value();
        CHECK(store.spooled() > 12'000);
        CHECK(replay_spool(store, progress, table, {0x10}).value() == 1'000);
    }
    store::Store store = store::Store::open(directory.path()).value();
    CHECK(replay_spool(store, progress, table, {0x10}).value() == 500);
    CHECK(replay_spool(store, progress, table, {0x10}).value() == 0);
    CHECK(observer.told == 1'500);
    CHECK(stored_rows(store).size() == 1'500);
}

TEST_CASE("A spool that does not fit the rows says so, and is not applied", "[storage]") {
    const Directory directory;
    store::Store store = store::Store::open(directory.path()).value();
    Ignorant observer;
    Progress progress{observer};
    const std::vector<Change> changes{
        Upsert{table, std::nullopt, {key_of(1), {UnchangedVector{}}}}};
    store.write({}, {0x20}, {}, {table, {0x10}, changes}).value();
    const auto replayed = replay_spool(store, progress, table, {0x10});
    REQUIRE(replayed.has_error());
    CHECK(replayed.error().code == Errc::gone);
    CHECK(stored_rows(store).empty());
    CHECK(replay_spool(store, progress, table, {0x11}).value() == 1);  // before the snapshot
    CHECK(stored_rows(store).empty());
}

TEST_CASE("A copy that dies goes on, and its rows are those upstream", "[storage]") {
    const Directory directory;
    store::Store store = store::Store::open(directory.path()).value();
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    std::size_t asked_for = 0;
    for (int round = 0; round < 300; ++round) {
        Upstream upstream{random, false};
        Ignorant observer;
        Progress progress{observer};
        store.forget(table).value();
        const auto follow = [&] {
            for (auto left = random() % 12; left > 0; --left) {
                const Transaction told = upstream.commit();
                store.write({}, told.end_lsn, {}, {table, told.commit_lsn, told.changes}).value();
            }
        };
        store::CopyRecord record;
        record.table.oid = table;
        const auto fetch = [&](const std::vector<RowKey>& keys) -> Result<std::vector<Row>> {
            std::vector<Row> rows;
            for (const RowKey& key : keys) {
                const auto found = upstream.rows().find(key);
                if (found != upstream.rows().end()) {
                    rows.push_back({key, found->second});
                }
            }
            asked_for += keys.size();
            return rows;
        };
        follow();
        for (int attempt = 0; record.done != std::vector{store::PageRange{}}; ++attempt) {
            record.last = {upstream.position().value + 1};
            record.first = attempt == 0 ? record.last : record.first;
            std::vector<std::vector<Row>> snapshot;
            for (std::uint32_t page = 0; page < page_count; ++page) {
                snapshot.push_back(upstream.read({page, page + 1}));
            }
            for (const store::PageRange& range : ranges_left(page_count, 1, record.done)) {
                std::vector<Row> rows = snapshot.at(range.first);
                const bool dies = attempt < 3 && random() % 4 == 0;
                rows.resize(dies ? rows.size() / 2 : rows.size());
                store.write_rows(table, rows).value();
                if (dies) {
                    break;
                }
                add_range(record.done, range);
                store.save_copy(record).value();
                follow();
            }
            follow();
        }
        if (random() % 2 == 0) {  // dies under way, and has to do it all again
            const auto dies = [](const std::vector<RowKey>&) -> Result<std::vector<Row>> {
                return Error{Errc::connection, "it died"};
            };
            record.last = {upstream.position().value + 1};
            (void)merge_snapshots(store, record, dies, [] { return Result<void>{}; });
            follow();
        }
        record.last = {upstream.position().value + 1};
        REQUIRE(merge_snapshots(store, record, fetch, [] { return Result<void>{}; }).has_value());
        REQUIRE(stored_rows(store) == upstream.rows());
        REQUIRE(store.copy().value()->first == record.last);
        follow();
        while (replay_spool(store, progress, table, record.last).value() > 0) {
        }
        REQUIRE(stored_rows(store) == upstream.rows());
    }
    CHECK(asked_for > 0);
}
