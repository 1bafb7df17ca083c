#include "tests/integration/broken_copy.hpp"

#include "storage/store/store.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <vector>

namespace veer::tests {

namespace {

storage::RowKey bigint_key(std::uint64_t id) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) {
        bytes += static_cast<char>(id >> static_cast<unsigned>(shift));
    }
    storage::RowKey key;
    storage::append_key_column(key, bytes);
    return key;
}

}  // namespace

void break_copy(const std::filesystem::path& directory) {
    auto store = storage::store::Store::open(directory);
    REQUIRE(store.has_value());
    const auto state = store->state();
    REQUIRE(state.has_value());
    REQUIRE(state->has_value());
    std::vector<storage::Change> changes;
    for (const storage::Table& table : (*state)->tables) {
        for (std::uint64_t id = 10; table.name == "docs" && id <= 2000; id += 10) {
            changes.emplace_back(storage::Delete{.table = table.oid, .key = bigint_key(id)});
        }
        for (char ghost = 0; table.name == "points" && ghost < 100; ++ghost) {
            storage::Row row;
            storage::append_key_column(row.key, std::string(16, ghost));
            row.vectors.emplace_back(std::vector<float>(8, static_cast<float>(ghost) / 1000));
            row.values.assign(table.copied.size(), storage::NullValue{});
            changes.emplace_back(storage::Upsert{
                .table = table.oid, .old_key = {}, .row = std::move(row)});
        }
    }
    REQUIRE(changes.size() == 300);
    REQUIRE(store->write(changes, (*state)->applied).has_value());
    REQUIRE(store->sync().has_value());
    std::filesystem::remove_all(directory / "graphs");  // checkpoints would bring the rows back
}

}  // namespace veer::tests
