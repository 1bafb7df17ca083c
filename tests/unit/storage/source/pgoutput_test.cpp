#include "storage/source/pgoutput.hpp"

#include "storage/byte_writer.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
namespace pgoutput = veer::storage::source::pgoutput;

namespace {

std::string begin() {
    return ByteWriter{}.u8('B').be64(0x1122).be64(77).be32(42).take();
}

std::string commit() {
    return ByteWriter{}.u8('C').u8(0).be64(0x1122).be64(0x1130).be64(77).take();
}

std::string relation() {
    ByteWriter out;
    out.u8('R').be32(100).bytes({"public\0items\0", 13}).u8('d').be16(2);
    out.u8(1).bytes({"id\0", 3}).be32(20).be32(0xFFFFFFFF);
    out.u8(0).bytes({"emb\0", 4}).be32(16385).be32(2);
    return out.take();
}

/// A tuple with each kind of field.
std::string tuple() {
    return ByteWriter{}.be16(4).u8('b').sized("key").u8('n').u8('u').u8('t').sized("text").take();
}

std::string update(char old_part) {
    ByteWriter out;
    out.u8('U').be32(100);
    if (old_part != 0) {
        out.u8(static_cast<std::uint8_t>(old_part)).bytes(tuple());
    }
    return out.u8('N').bytes(tuple()).take();
}

std::string truncate() {
    return ByteWriter{}.u8('T').be32(2).u8(1).be32(100).be32(101).take();
}

const std::vector<std::string> every_kind{
    begin(),
    commit(),
    ByteWriter{}.u8('O').be64(5).bytes({"origin\0", 7}).take(),
    relation(),
    ByteWriter{}.u8('Y').be32(16385).bytes({"public\0vector\0", 14}).take(),
    ByteWriter{}.u8('I').be32(100).u8('N').bytes(tuple()).take(),
    update(0),
    update('K'),
    update('O'),
    ByteWriter{}.u8('D').be32(100).u8('K').bytes(tuple()).take(),
    truncate(),
    ByteWriter{}.u8('M').u8(1).be64(9).bytes({"veer\0", 5}).sized("body").take(),
    ByteWriter{}.u8('S').be32(42).u8(1).take(),
    ByteWriter{}.u8('E').take(),
    ByteWriter{}.u8('c').be32(42).u8(0).be64(0x1122).be64(0x1130).be64(77).take(),
    ByteWriter{}.u8('A').be32(42).be32(43).take(),
};

/// As it comes between Stream Start and Stream Stop.
std::string streamed(const std::string& bytes, std::uint32_t xid) {
    const bool has_xid = std::string_view{"RYIUDTM"}.find(bytes.front()) != std::string_view::npos;
    return has_xid ? bytes.substr(0, 1) + ByteWriter{}.be32(xid).take() + bytes.substr(1) : bytes;
}

template <class Kind>
Kind decode_as(const std::string& bytes) {
    return std::get<Kind>(pgoutput::decode(bytes).value());
}

}  // namespace

TEST_CASE("Begin and Commit carry the positions", "[storage]") {
    CHECK(decode_as<pgoutput::Begin>(begin()).final_lsn == Lsn{0x1122});
    CHECK(decode_as<pgoutput::Begin>(begin()).xid == 42);
    CHECK(decode_as<pgoutput::Commit>(commit()).commit_lsn == Lsn{0x1122});
    CHECK(decode_as<pgoutput::Commit>(commit()).end_lsn == Lsn{0x1130});
}

TEST_CASE("A Relation lists its columns", "[storage]") {
    const std::string bytes = relation();
    const auto message = decode_as<pgoutput::Relation>(bytes);
    CHECK(message.oid == TableOid{100});
    CHECK(message.schema == "public");
    CHECK(message.name == "items");
    CHECK(message.replica_identity == 'd');
    REQUIRE(message.columns.size() == 2);
    CHECK(message.columns[0].key);
    CHECK(message.columns[0].typmod == -1);
    CHECK(message.columns[1].name == "emb");
    CHECK(message.columns[1].typmod == 2);
}

TEST_CASE("An Update has the old row where it was sent", "[storage]") {
    const std::string without = update(0);
    CHECK_FALSE(decode_as<pgoutput::Update>(without).old_row.has_value());
    const std::string with = update('K');
    const auto message = decode_as<pgoutput::Update>(with);
    REQUIRE(message.old_row.has_value());
    CHECK(message.old_row->size() == 4);
    REQUIRE(message.row.size() == 4);
    using Kind = pgoutput::Field::Kind;
    CHECK(message.row[0].kind == Kind::binary);
    CHECK(message.row[0].bytes == "key");
    CHECK(message.row[1].kind == Kind::null);
    CHECK(message.row[2].kind == Kind::unchanged_toast);
    CHECK(message.row[3].kind == Kind::text);
}

TEST_CASE("A Truncate names every table", "[storage]") {
    CHECK(decode_as<pgoutput::Truncate>(truncate()).tables == std::vector<TableOid>{{100}, {101}});
}

TEST_CASE("The messages around a streamed transaction carry its xid", "[storage]") {
    const auto start = decode_as<pgoutput::StreamStart>(ByteWriter{}.u8('S').be32(42).u8(1).take());
    CHECK(start.xid == 42);
    CHECK(start.first);
    CHECK_FALSE(decode_as<pgoutput::StreamStart>(ByteWriter{}.u8('S').be32(42).u8(0).take()).first);
    const auto commit = decode_as<pgoutput::StreamCommit>(
        ByteWriter{}.u8('c').be32(42).u8(0).be64(0x1122).be64(0x1130).be64(77).take()
    );
    CHECK(commit.xid == 42);
    CHECK(commit.commit_lsn == Lsn{0x1122});
    CHECK(commit.end_lsn == Lsn{0x1130});
    CHECK(commit.timestamp == 77);
    const auto abort =
        decode_as<pgoutput::StreamAbort>(ByteWriter{}.u8('A').be32(42).be32(43).take());
    CHECK(abort.xid == 42);
    CHECK(abort.subxid == 43);
}

TEST_CASE("A streamed message is itself, behind the xid of its subtransaction", "[storage]") {
    for (const std::string& bytes : every_kind) {
        const std::string with = streamed(bytes, 43);
        const auto decoded = pgoutput::decode_streamed(with);
        REQUIRE(decoded.has_value());
        CHECK(decoded->message.index() == pgoutput::decode(bytes)->index());
        CHECK(decoded->xid == (with.size() > bytes.size() ? 43 : 0));
        if (const auto owner = pgoutput::owner_of(bytes)) {
            CHECK(pgoutput::owner_of(with, true) == pgoutput::Owner{owner->table, 43});
        } else {
            CHECK_FALSE(pgoutput::owner_of(with, true).has_value());
        }
        CHECK(pgoutput::decode_streamed(with + "x").has_error());
        for (std::size_t size = 0; size < with.size(); ++size) {
            CHECK(pgoutput::decode_streamed(with.substr(0, size)).has_error());
        }
    }
}

TEST_CASE("Every message is refused when it is cut at any byte, or has one too many", "[storage]") {
    for (const std::string& bytes : every_kind) {
        CHECK(pgoutput::decode(bytes).has_value());
        CHECK(pgoutput::decode(bytes + "x").has_error());
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            CHECK(pgoutput::decode(bytes.substr(0, size)).has_error());
        }
    }
}

TEST_CASE("Hostile counts and kinds are refused without a large allocation", "[storage]") {
    CHECK(pgoutput::decode("Z").has_error());
    CHECK(pgoutput::decode(ByteWriter{}.u8('I').be32(1).u8('N').be16(0xFFFF).take()).has_error());
    CHECK(pgoutput::decode(ByteWriter{}.u8('I').be32(1).u8('X').be16(0).take()).has_error());
    CHECK(pgoutput::decode(ByteWriter{}.u8('T').be32(0xFFFFFFFF).u8(0).be32(1).take()).has_error());
    CHECK(
        pgoutput::decode(
            ByteWriter{}.u8('I').be32(1).u8('N').be16(1).u8('b').be32(0xFFFFFFFF).bytes("x").take()
        )
            .has_error()
    );
    CHECK(pgoutput::decode(ByteWriter{}.u8('I').be32(1).u8('N').be16(1).u8('?').take()).has_error()
    );
    CHECK(pgoutput::decode(ByteWriter{}.u8('D').be32(1).u8('N').be16(0).take()).has_error());
}

TEST_CASE("Any change of one byte decodes or fails, and never reads outside", "[storage]") {
    for (std::string bytes : every_kind) {
        for (char& byte : bytes) {
            const char before = byte;
            for (int value = 0; value < 256; value += 5) {
                byte = static_cast<char>(value);
                CHECK_NOTHROW(pgoutput::decode(bytes));
            }
            byte = before;
        }
    }
}

TEST_CASE("A row message names its table, whatever the rest of it is", "[storage]") {
    CHECK(pgoutput::owner_of(ByteWriter{}.u8('I').be32(7).u8('?').take()) == pgoutput::Owner{{7}});
    CHECK(pgoutput::owner_of(ByteWriter{}.u8('R').be32(8).take()) == pgoutput::Owner{{8}});
    CHECK_FALSE(pgoutput::owner_of(ByteWriter{}.u8('I').be16(7).take()).has_value());
    CHECK_FALSE(pgoutput::owner_of(ByteWriter{}.u8('C').be32(7).be32(7).take()).has_value());
    CHECK_FALSE(pgoutput::owner_of("").has_value());
}
