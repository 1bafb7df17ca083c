#include "storage/sync/transaction_assembler.hpp"

#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using veer::storage::sync::TransactionAssembler;
using veer::tests::key_of;
using veer::tests::row_of;
using veer::tests::sample_table;
namespace pgoutput = veer::storage::source::pgoutput;
using Kind = pgoutput::Field::Kind;

namespace {

const std::string seven{"\0\0\0\0\0\0\0\7", 8};
const std::string eight{"\0\0\0\0\0\0\0\10", 8};

pgoutput::Relation relation(char identity = 'd') {
    return {
        {100},
        "public",
        "items",
        identity,
        {{true, "id", 20, -1},
         {false, "note", 25, -1},
         {false, "emb", 16385, 2},
         {false, "emb2", 16385, 1}}};
}

/// A row with an unchanged first vector and no second one.
pgoutput::TupleData tuple(const std::string& id) {
    return {{Kind::binary, id}, {Kind::null, {}}, {Kind::unchanged_toast, {}}, {Kind::null, {}}};
}

Row mapped(std::uint64_t id) {
    return row_of(id, UnchangedVector{}, NullVector{});
}

/// Feeds Begin, the messages and Commit; returns the transaction's changes.
std::vector<Change> changes_of(
    TransactionAssembler& assembler, const std::vector<pgoutput::Message>& messages
) {
    CHECK_FALSE(assembler.take(pgoutput::Begin{{0x10}, 0, 5}).value().has_value());
    for (const auto& message : messages) {
        CHECK_FALSE(assembler.take(message).value().has_value());
    }
    CHECK(assembler.inside());
    const auto transaction = assembler.take(pgoutput::Commit{0, {0x10}, {0x20}, 0}).value();
    CHECK_FALSE(assembler.inside());
    CHECK(transaction->commit_lsn == Lsn{0x10});
    CHECK(transaction->end_lsn == Lsn{0x20});
    return transaction->changes;
}

}  // namespace

TEST_CASE("A transaction comes out at its Commit with its changes in order", "[storage]") {
    TransactionAssembler assembler{{sample_table()}};
    const auto changes = changes_of(
        assembler,
        {pgoutput::Origin{{1}, "o"},
         relation(),
         pgoutput::Type{16385, "public", "vector"},
         pgoutput::Insert{{100}, tuple(seven)},
         pgoutput::Update{{100}, {}, tuple(seven)},
         pgoutput::Update{{100}, tuple(seven), tuple(eight)},
         pgoutput::Delete{{100}, tuple(eight)},
         pgoutput::LogicalMessage{true, {1}, "p", "c"},
         pgoutput::Truncate{0, {{100}, {200}}}}
    );
    const std::vector<Change> expected{
        Upsert{{100}, std::nullopt, mapped(7)},
        Upsert{{100}, std::nullopt, mapped(7)},
        Upsert{{100}, key_of(7), mapped(8)},
        Delete{{100}, key_of(8)},
        Truncate{{{100}}},
    };
    CHECK(changes == expected);
}

TEST_CASE("Relations are remembered from one transaction to the next", "[storage]") {
    TransactionAssembler assembler{{sample_table()}};
    changes_of(assembler, {relation()});
    CHECK(changes_of(assembler, {pgoutput::Insert{{100}, tuple(seven)}}).size() == 1);
}

TEST_CASE("An old row with the same key is no change of the key", "[storage]") {
    TransactionAssembler assembler{{sample_table()}};
    const auto changes =
        changes_of(assembler, {relation('f'), pgoutput::Update{{100}, tuple(seven), tuple(seven)}});
    CHECK(changes == std::vector<Change>{Upsert{{100}, std::nullopt, mapped(7)}});
}

TEST_CASE("Tables that are not copied leave no change", "[storage]") {
    TransactionAssembler assembler{{sample_table()}};
    const auto changes = changes_of(
        assembler,
        {pgoutput::Insert{{200}, tuple(seven)},
         pgoutput::Update{{200}, {}, tuple(seven)},
         pgoutput::Delete{{200}, tuple(seven)},
         pgoutput::Truncate{0, {{200}}}}
    );
    CHECK(changes.empty());
}

TEST_CASE("Messages out of order are refused", "[storage]") {
    TransactionAssembler assembler{{sample_table()}};
    SECTION("Commit without Begin") {
        CHECK(assembler.take(pgoutput::Commit{}).has_error());
    }
    SECTION("Begin inside a transaction") {
        CHECK(assembler.take(pgoutput::Begin{}).has_value());
        CHECK(assembler.take(pgoutput::Begin{}).has_error());
    }
    SECTION("a row outside of a transaction") {
        CHECK(assembler.take(relation()).has_value());
        CHECK(assembler.take(pgoutput::Insert{{100}, tuple(seven)}).has_error());
    }
    SECTION("a row before its Relation") {
        CHECK(assembler.take(pgoutput::Begin{}).has_value());
        CHECK(assembler.take(pgoutput::Insert{{100}, tuple(seven)}).has_error());
    }
}

TEST_CASE("A row of a changed relation starts the copy over", "[storage]") {
    TransactionAssembler assembler{{sample_table()}};
    auto changed = relation();
    changed.columns[2].typmod = 3;
    CHECK(assembler.take(pgoutput::Begin{}).has_value());
    CHECK(assembler.take(changed).has_value());
    const auto taken = assembler.take(pgoutput::Insert{{100}, tuple(seven)});
    REQUIRE(taken.has_error());
    CHECK(taken.error().code == Errc::gone);
}

TEST_CASE("The rows of a transaction that the copy has already are skipped", "[storage]") {
    TransactionAssembler assembler{{sample_table()}};
    CHECK(assembler.take(pgoutput::Begin{{0x10}, 0, 5}).has_value());
    assembler.skip_rows();
    CHECK(assembler.take(relation()).has_value());
    CHECK(assembler.take(pgoutput::Insert{{100}, tuple(seven)}).has_value());
    CHECK(assembler.take(pgoutput::Truncate{0, {{100}}}).has_value());
    CHECK(assembler.take(pgoutput::Commit{0, {0x10}, {0x20}, 0}).value()->changes.empty());
    CHECK(changes_of(assembler, {pgoutput::Insert{{100}, tuple(seven)}}).size() == 1);
}

TEST_CASE("A transaction that is too large starts the copy over", "[storage]") {
    TransactionAssembler assembler{{sample_table()}, 1'000};
    CHECK(assembler.take(pgoutput::Begin{}).has_value());
    CHECK(assembler.take(relation()).has_value());
    Errc code = Errc::unexpected;
    for (int row = 0; row < 1'000; ++row) {
        const auto taken = assembler.take(pgoutput::Insert{{100}, tuple(seven)});
        if (taken.has_error()) {
            code = taken.error().code;
            break;
        }
    }
    CHECK(code == Errc::gone);
}
