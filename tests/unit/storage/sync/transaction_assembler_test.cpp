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

TEST_CASE("A row of a changed relation fails its table, and no other", "[storage]") {
    TransactionAssembler assembler{{sample_table(100), sample_table(200)}};
    auto changed = relation();
    changed.columns[2].typmod = 3;
    auto other = relation();
    other.oid = {200};
    const auto changes = changes_of(
        assembler,
        {relation(),
         other,
         pgoutput::Insert{{100}, tuple(seven)},
         pgoutput::Insert{{200}, tuple(seven)},
         changed,
         pgoutput::Insert{{100}, tuple(eight)},
         pgoutput::Truncate{0, {{100}, {200}}},
         pgoutput::Delete{{100}, tuple(eight)}}
    );
    CHECK(
        changes == std::vector<Change>{Upsert{{200}, std::nullopt, mapped(7)}, Truncate{{{200}}}}
    );
    REQUIRE(assembler.failures().size() == 1);
    CHECK(assembler.failures().at({100}).find("emb is not what it was") != std::string::npos);
    CHECK(changes_of(assembler, {pgoutput::Insert{{100}, tuple(seven)}}).empty());
    SECTION("it goes on once it is followed as what it has become") {
        Table now = sample_table(100);
        now.columns[2].typmod = 3;
        assembler.redefine({now});
        CHECK(assembler.failures().empty());
        CHECK(changes_of(assembler, {pgoutput::Insert{{100}, tuple(seven)}}).size() == 1);
    }
    SECTION("a message that could not even be decoded") {
        assembler.redefine({sample_table(200)});
        CHECK_FALSE(assembler.take(pgoutput::Begin{{0x10}, 0, 5}).value().has_value());
        assembler.fail({{100}}, "of a table that nobody follows");
        assembler.fail({{200}}, "malformed");
        CHECK(assembler.failures().size() == 1);
        CHECK(assembler.take(pgoutput::Commit{0, {0x10}, {0x20}, 0}).value()->changes.empty());
    }
}

TEST_CASE("A table that is followed later has the relation that came before", "[storage]") {
    TransactionAssembler assembler{{}};
    {
        std::string name = "items";
        auto of_a_message_that_is_gone = relation();
        of_a_message_that_is_gone.name = name;
        CHECK(changes_of(
                  assembler, {of_a_message_that_is_gone, pgoutput::Insert{{100}, tuple(seven)}}
        ).empty());
        name = "XXXXX";
    }
    assembler.redefine({sample_table()});
    CHECK(changes_of(assembler, {pgoutput::Insert{{100}, tuple(seven)}}).size() == 1);
}

TEST_CASE("A table that leaves amid a transaction takes its rows along", "[storage]") {
    TransactionAssembler assembler{{sample_table(100), sample_table(200)}};
    CHECK(assembler.take(pgoutput::Begin{{0x10}, 0, 5}).has_value());
    auto other = relation();
    other.oid = {200};
    CHECK(assembler.take(relation()).has_value());
    CHECK(assembler.take(other).has_value());
    CHECK(assembler.take(pgoutput::Insert{{100}, tuple(seven)}).has_value());
    CHECK(assembler.take(pgoutput::Insert{{200}, tuple(seven)}).has_value());
    CHECK(assembler.take(pgoutput::Truncate{0, {{100}, {200}}}).has_value());
    assembler.redefine({sample_table(200)});
    CHECK(assembler.take(pgoutput::Delete{{100}, tuple(seven)}).has_value());
    const auto transaction = assembler.take(pgoutput::Commit{0, {0x10}, {0x20}, 0}).value();
    CHECK(
        transaction->changes ==
        std::vector<Change>{Upsert{{200}, std::nullopt, mapped(7)}, Truncate{{{200}}}}
    );
}

TEST_CASE(
    "A table that has failed amid a transaction is not followed before its end", "[storage]"
) {
    TransactionAssembler assembler{{sample_table(100)}};
    CHECK(assembler.take(pgoutput::Begin{{0x10}, 0, 5}).has_value());
    CHECK(assembler.take(relation()).has_value());
    CHECK(assembler.take(pgoutput::Insert{{100}, tuple(seven)}).has_value());
    assembler.fail({{100}}, "malformed");
    assembler.redefine({sample_table(100)});
    CHECK(assembler.take(pgoutput::Insert{{100}, tuple(eight)}).has_value());
    CHECK(assembler.take(pgoutput::Commit{0, {0x10}, {0x20}, 0}).value()->changes.empty());
    CHECK(assembler.failures().contains({100}));
    assembler.redefine({sample_table(100)});
    CHECK(changes_of(assembler, {pgoutput::Insert{{100}, tuple(eight)}}).size() == 1);
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

TEST_CASE("A transaction that is too large fails the tables in it", "[storage]") {
    TransactionAssembler assembler{
        {sample_table(), sample_table(200)}, {.memory_max = 1'000}, nullptr};
    std::vector<pgoutput::Message> messages{relation()};
    for (int row = 0; row < 1'000; ++row) {
        messages.emplace_back(pgoutput::Insert{{100}, tuple(seven)});
    }
    CHECK(changes_of(assembler, messages).empty());
    REQUIRE(assembler.failures().size() == 1);
    CHECK(assembler.failures().at({100}).find("copying the table is cheaper") != std::string::npos);
}

TEST_CASE("A row of a partition that is not known fails its table, and no other", "[storage]") {
    TransactionAssembler assembler{{sample_table(100), sample_table(200)}};
    assembler.know({{{100}, {{{101}, ""}, {{102}, ""}}}});
    const auto of = [](std::uint32_t oid) {
        auto message = relation();
        message.oid = {oid};
        return message;
    };
    const pgoutput::Type type{16385, "public", "vector"};
    const pgoutput::Insert insert{{100}, tuple(seven)};
    SECTION("those that are known come as the root's") {
        CHECK(changes_of(assembler, {of(100), type, of(101), insert}).size() == 1);
        CHECK(changes_of(assembler, {of(100), of(102), insert}).size() == 1);
        CHECK(assembler.failures().empty());
    }
    SECTION("others may have rows that the copy does not have, or are gone again") {
        const auto changes = changes_of(
            assembler,
            {of(200),
             pgoutput::Insert{{200}, tuple(seven)},
             of(100),
             of(101),
             insert,
             of(100),
             type,
             of(103),
             insert}
        );
        CHECK(changes == std::vector<Change>{Upsert{{200}, std::nullopt, mapped(7)}});
        CHECK(assembler.failures().contains({100}));
        CHECK(assembler.outgrown() == std::set<TableOid>{{100}});
    }
    SECTION("what comes behind something else is a table of its own") {
        changes_of(assembler, {of(100), pgoutput::Truncate{0, {{100}}}, of(103)});
        changes_of(assembler, {of(200), of(103)});
        CHECK(assembler.failures().empty());
    }
}
