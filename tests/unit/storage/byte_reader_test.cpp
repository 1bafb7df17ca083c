#include "storage/byte_reader.hpp"

#include "storage/byte_writer.hpp"

#include <catch2/catch_test_macros.hpp>

using veer::storage::ByteReader;
using veer::storage::ByteWriter;

TEST_CASE("ByteReader reads what ByteWriter wrote", "[storage]") {
    const std::string bytes = ByteWriter{}
                                  .u8(0xFE)
                                  .be16(0xABCD)
                                  .be32(0xDEADBEEF)
                                  .be64(0x0123456789ABCDEF)
                                  .sized("hi")
                                  .take();
    ByteReader in{bytes};
    CHECK(in.u8() == 0xFE);
    CHECK(in.be16() == 0xABCD);
    CHECK(in.be32() == 0xDEADBEEF);
    CHECK(in.be64() == 0x0123456789ABCDEF);
    CHECK(in.bytes(in.be32()) == "hi");
    CHECK(in.at_end());
}

TEST_CASE("ByteReader stays failed after the first read past the end", "[storage]") {
    ByteReader in{"ab"};
    CHECK(in.be32() == 0);
    CHECK(in.failed());
    CHECK(in.u8() == 0);
    CHECK(in.bytes(0).empty());
    CHECK(in.cstring().empty());
    CHECK(in.remaining() == 0);
    CHECK_FALSE(in.at_end());
}

TEST_CASE("A string without its zero byte is a failure", "[storage]") {
    ByteReader in{std::string_view{"ab\0cd", 5}};
    CHECK(in.cstring() == "ab");
    CHECK(in.cstring().empty());
    CHECK(in.failed());
}
