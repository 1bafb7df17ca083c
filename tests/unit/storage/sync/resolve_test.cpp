#include "storage/sync/resolve.hpp"

#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>

using namespace veer::storage;
using veer::storage::sync::resolve_unchanged;
using veer::storage::sync::Resolved;
using veer::tests::floats;
using veer::tests::key_of;
using veer::tests::row_of;

namespace {

constexpr TableOid table{100};

/// Before the transaction there is row 1 with [1,1] and [9].
Result<std::optional<Row>> lookup(TableOid oid, const RowKey& key) {
    if (oid == table && key == key_of(1)) {
        return std::optional{row_of(1, floats({1, 1}), floats({9}))};
    }
    return std::optional<Row>{};
}

Upsert upsert(std::uint64_t id, VectorValue emb, std::optional<std::uint64_t> old_id = {}) {
    return {
        table,
        old_id ? std::optional{key_of(*old_id)} : std::nullopt,
        row_of(id, std::move(emb), UnchangedVector{})};
}

Result<Resolved> resolve(std::vector<Change> changes) {
    return resolve_unchanged({{1}, {2}, std::move(changes)}, lookup);
}

/// The vectors of the last change.
std::vector<VectorValue> last_vectors(const std::vector<Change>& changes) {
    const auto resolved = resolve(changes).value();
    return std::get<Upsert>(resolved.transaction.changes.back()).row.vectors;
}

}  // namespace

TEST_CASE("An unchanged vector is the stored one", "[storage]") {
    CHECK(
        last_vectors({upsert(1, UnchangedVector{})}) ==
        std::vector<VectorValue>{floats({1, 1}), floats({9})}
    );
    CHECK(
        last_vectors({upsert(1, floats({2, 2}))}) ==
        std::vector<VectorValue>{floats({2, 2}), floats({9})}
    );
    CHECK(
        last_vectors({upsert(1, NullVector{})}) ==
        std::vector<VectorValue>{NullVector{}, floats({9})}
    );
}

TEST_CASE("An unchanged vector is what the transaction made of it before", "[storage]") {
    CHECK(
        last_vectors({upsert(1, floats({5, 5})), upsert(1, UnchangedVector{})}) ==
        std::vector<VectorValue>{floats({5, 5}), floats({9})}
    );
    CHECK(
        last_vectors(
            {Upsert{table, {}, row_of(3, NullVector{}, floats({4}))}, upsert(3, UnchangedVector{})}
        ) == std::vector<VectorValue>{NullVector{}, floats({4})}
    );
}

TEST_CASE("An unchanged vector follows its row to another key, and on", "[storage]") {
    CHECK(
        last_vectors({upsert(2, UnchangedVector{}, 1), upsert(3, UnchangedVector{}, 2)}) ==
        std::vector<VectorValue>{floats({1, 1}), floats({9})}
    );
}

TEST_CASE("A table with a vector that nobody knows is lost, and the others are not", "[storage]") {
    std::vector<Change> changes;
    SECTION("no such row") {
        changes = {upsert(2, UnchangedVector{})};
    }
    SECTION("moved away") {
        changes = {upsert(2, UnchangedVector{}, 1), upsert(1, UnchangedVector{})};
    }
    SECTION("deleted before") {
        changes = {Delete{table, key_of(1)}, upsert(1, UnchangedVector{})};
    }
    SECTION("truncated before") {
        changes = {Truncate{{table}}, upsert(1, UnchangedVector{})};
    }
    changes.insert(changes.begin(), Truncate{{table, {200}}});
    const Upsert other{{200}, std::nullopt, row_of(1, floats({1, 2}), NullVector{})};
    changes.emplace_back(other);
    const auto resolved = resolve(changes).value();
    CHECK(resolved.lost.size() == 1);
    CHECK(resolved.lost.at(table) == "a row was updated that the copy does not have");
    CHECK(resolved.transaction.changes == std::vector<Change>{Truncate{{{200}}}, other});
}

TEST_CASE("A row inserted after a truncation is known", "[storage]") {
    CHECK(
        last_vectors(
            {Truncate{{table}},
             Upsert{table, {}, row_of(1, floats({3, 3}), NullVector{})},
             upsert(1, UnchangedVector{})}
        ) == std::vector<VectorValue>{floats({3, 3}), NullVector{}}
    );
}

TEST_CASE("An unchanged value is the stored one, beside a new vector, too", "[storage]") {
    const auto stored = [](TableOid, const RowKey&) -> Result<std::optional<Row>> {
        return std::optional{Row{key_of(1), {floats({1})}, {std::string{"old"}, NullValue{}}}};
    };
    const auto update = [](VectorValue vector, ColumnValue first, ColumnValue second) {
        return Upsert{table, {}, {key_of(1), {std::move(vector)}, {first, second}}};
    };
    const auto resolved = resolve_unchanged(
        {{1},
         {2},
         {update(UnchangedVector{}, UnchangedValue{}, std::string{"new"}),
          update(floats({2}), UnchangedValue{}, UnchangedValue{})}},
        stored
    );
    const auto& changes = resolved.value().transaction.changes;
    CHECK(changes[0] == Change{update(floats({1}), std::string{"old"}, std::string{"new"})});
    CHECK(changes[1] == Change{update(floats({2}), std::string{"old"}, std::string{"new"})});
}

TEST_CASE("A store that cannot be read is the store's error", "[storage]") {
    const auto broken = [](TableOid, const RowKey&) -> Result<std::optional<Row>> {
        return Error{Errc::disk, "broken"};
    };
    const auto resolved = resolve_unchanged({{1}, {2}, {upsert(1, UnchangedVector{})}}, broken);
    CHECK(resolved.error().code == Errc::disk);
}
