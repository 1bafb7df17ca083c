#include "storage/source/stream.hpp"

#include "storage/byte_writer.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::source;

TEST_CASE("A stream message is data or a keepalive", "[storage]") {
    const std::string data = ByteWriter{}.u8('w').be64(1).be64(2).be64(3).bytes("Bxyz").take();
    CHECK(std::get<XLogData>(decode_stream(data).value()).message == "Bxyz");
    const std::string keepalive = ByteWriter{}.u8('k').be64(0x55).be64(3).u8(1).take();
    const auto decoded = std::get<Keepalive>(decode_stream(keepalive).value());
    CHECK(decoded.wal_end == Lsn{0x55});
    CHECK(decoded.reply_requested);
}

TEST_CASE("A standby's slot that cannot be read yet is no loss", "[storage]") {
    const auto code_of = [](std::string_view sqlstate, bool in_recovery) {
        return judge_stream_failure(sqlstate, in_recovery, {Errc::unexpected, "?"}).code;
    };
    CHECK(code_of("55000", false) == Errc::gone);
    CHECK(code_of("55000", true) == Errc::connection);
    CHECK(code_of("42704", false) == Errc::gone);
    CHECK(code_of("42704", true) == Errc::gone);
    CHECK(code_of("55006", false) == Errc::connection);
    CHECK(code_of("22023", true) == Errc::unexpected);
}

TEST_CASE("A malformed stream message is refused", "[storage]") {
    const std::string keepalive = ByteWriter{}.u8('k').be64(0x55).be64(3).u8(1).take();
    for (std::size_t size = 0; size < keepalive.size(); ++size) {
        CHECK(decode_stream(keepalive.substr(0, size)).has_error());
    }
    CHECK(decode_stream(keepalive + "x").has_error());
    CHECK(decode_stream("w12345").has_error());
    CHECK(decode_stream("q").has_error());
}
