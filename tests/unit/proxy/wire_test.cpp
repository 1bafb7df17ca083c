#include "proxy/wire/backend.hpp"
#include "proxy/wire/frontend.hpp"
#include "proxy/wire/reader.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace veer::proxy::wire {

using namespace std::string_literals;

TEST_CASE("peek_header tells incomplete, malformed and whole messages apart", "[proxy]") {
    FrameHeader header;
    CHECK(peek_header("Q\0\0\0"s, header) == FrameStatus::incomplete);
    CHECK(peek_header("Q\0\0\0\3"s, header) == FrameStatus::malformed);
    CHECK(peek_header("Q\xff\xff\xff\xff"s, header) == FrameStatus::malformed);
    CHECK(peek_header("Q\x40\0\0\0"s, header) == FrameStatus::malformed);
    REQUIRE(peek_header("S\0\0\0\4"s, header) == FrameStatus::ok);
    CHECK(header.type == 'S');
    CHECK(header.whole_bytes == 5);
}

TEST_CASE("Reader's errors stick", "[proxy]") {
    Reader reader("\0\1"s);
    CHECK(reader.u32() == 0);
    CHECK_FALSE(reader.ok());
    CHECK(reader.u8() == 0);
    CHECK_FALSE(reader.ok());
}

TEST_CASE("Bind written is Bind read", "[proxy]") {
    const Bind bind{
        .portal = "p",
        .statement = "s",
        .parameter_formats = {0, 1},
        .parameters = {Bytes("[1,2]"), std::nullopt},
        .result_formats = {1}};
    std::string bytes;
    write_bind(bytes, bind, "other");
    FrameHeader header;
    REQUIRE(peek_header(bytes, header) == FrameStatus::ok);
    REQUIRE(header.whole_bytes == bytes.size());
    const auto read = decode_bind(frame_at(bytes, header).payload);
    REQUIRE(read);
    CHECK(read->portal == "p");
    CHECK(read->statement == "other");
    CHECK(read->parameter_formats == bind.parameter_formats);
    CHECK(read->parameters == bind.parameters);
    CHECK(read->result_formats == bind.result_formats);
}

TEST_CASE("a decoder refuses a message cut at any byte, and one with a byte too many", "[proxy]") {
    std::string bytes;
    write_bind(
        bytes,
        {.portal = "p",
         .statement = "s",
         .parameter_formats = {1},
         .parameters = {Bytes("abc")},
         .result_formats = {0}},
        "s"
    );
    const Bytes payload = Bytes(bytes).substr(frame_header_bytes);
    for (std::size_t length = 0; length < payload.size(); ++length) {
        CHECK_FALSE(decode_bind(payload.substr(0, length)));
    }
    CHECK(decode_bind(payload));
    CHECK_FALSE(decode_bind(std::string(payload) + '\0'));
}

TEST_CASE("counts that lie allocate nothing and are refused", "[proxy]") {
    // portal "", statement "", then 65,535 format codes that are not there
    CHECK_FALSE(decode_bind("\0\0\xff\xff"s));
    CHECK_FALSE(decode_parse("\0\0\xff\xff"s));
    // one parameter of 2 GB
    CHECK_FALSE(decode_bind("\0\0\0\0\0\1\x7f\xff\xff\xff"s));
    // two formats for one parameter
    CHECK_FALSE(decode_bind("\0\0\0\2\0\0\0\0\0\1\0\0\0\1x\0\0"s));
}

TEST_CASE("one format code without parameters is legal", "[proxy]") {
    CHECK(decode_bind("\0\0\0\1\0\1\0\0\0\0"s));
}

TEST_CASE("rows_of_tag reads the count of a command tag", "[proxy]") {
    CHECK(rows_of_tag("SELECT 5") == 5);
    CHECK(rows_of_tag("INSERT 0 12") == 12);
    CHECK_FALSE(rows_of_tag("SHOW"));
    CHECK_FALSE(rows_of_tag("SELECT x"));
}

TEST_CASE("decode_diagnostics does without fields that a server leaves out", "[proxy]") {
    CHECK(decode_diagnostics("SERROR\0VFATAL\0C57P01\0Mbye\0\0"s).severity == "FATAL");
    CHECK(decode_diagnostics("\0"s).sqlstate.empty());
    CHECK(decode_diagnostics("C570"s).sqlstate.empty());
    CHECK(decode_diagnostics("P17\0\0"s).position == 17);
    CHECK(decode_diagnostics("P-1\0\0"s).position == 0);
    CHECK(decode_diagnostics("P99999999999999999999999\0\0"s).position == 0);
}

TEST_CASE("write_error_at changes the position and nothing else", "[proxy]") {
    std::string out;
    write_error_at(out, "SERROR\0C42703\0Mno\0P170\0Fx.c\0\0"s, 9);
    CHECK(out.substr(frame_header_bytes) == "SERROR\0C42703\0Mno\0P9\0Fx.c\0\0"s);
    std::string cut;
    write_error_at(cut, "SERROR\0P17"s, 9);  // what a server says must not be believed
    CHECK(cut.back() == '\0');
}

TEST_CASE("a notice has the fields that clients look for", "[proxy]") {
    std::string out;
    write_notice(out, "hear", "more");
    CHECK(out[0] == 'N');
    CHECK(out.substr(frame_header_bytes) == "SNOTICE\0VNOTICE\0C00000\0Mhear\0Dmore\0\0"s);
    const Diagnostics read = decode_diagnostics(out.substr(frame_header_bytes));
    CHECK(read.severity == "NOTICE");
    std::string brief;
    write_notice(brief, "hear");
    CHECK(brief.substr(frame_header_bytes) == "SNOTICE\0VNOTICE\0C00000\0Mhear\0\0"s);
}

}  // namespace veer::proxy::wire
