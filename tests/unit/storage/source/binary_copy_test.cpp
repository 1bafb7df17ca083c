#include "storage/source/binary_copy.hpp"

#include "storage/byte_writer.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using veer::storage::source::BinaryCopyDecoder;

namespace {

const std::string header =
    ByteWriter{}.bytes({"PGCOPY\n\377\r\n\0", 11}).be32(0).be32(3).bytes("ext").take();

std::string two_rows() {
    ByteWriter out;
    out.bytes(header);
    out.be16(2).sized("ab").be32(0xFFFFFFFF);
    out.be16(2).sized("").sized("cde");
    out.be16(0xFFFF);
    return out.take();
}

using Copied = std::vector<std::vector<std::optional<std::string>>>;

/// Feeds the bytes in pieces; returns the rows, or nothing on an error or a missing trailer.
std::optional<Copied> decode(const std::string& bytes, std::size_t piece) {
    BinaryCopyDecoder decoder{2};
    Copied rows;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        decoder.feed(std::string_view{bytes}.substr(at, piece));
        for (;;) {
            const auto fields = decoder.next();
            if (fields.has_error()) {
                return std::nullopt;
            }
            if (!fields->has_value()) {
                break;
            }
            rows.emplace_back((*fields)->begin(), (*fields)->end());
        }
    }
    return decoder.ended() ? std::optional{rows} : std::nullopt;
}

const Copied expected{{"ab", std::nullopt}, {"", "cde"}};

}  // namespace

TEST_CASE("A binary copy decodes in pieces of every size", "[storage]") {
    const std::string bytes = two_rows();
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        CHECK(decode(bytes, piece) == expected);
    }
}

TEST_CASE("A binary copy that is cut short never ends", "[storage]") {
    const std::string bytes = two_rows();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_FALSE(decode(bytes.substr(0, size), 1'000).has_value());
    }
}

TEST_CASE("A malformed binary copy is an error, and stays one", "[storage]") {
    std::string bytes;
    SECTION("another signature") {
        bytes = "PGCOPY\n\377\r\nX";
    }
    SECTION("a critical flag") {
        bytes = ByteWriter{}.bytes({header.data(), 11}).be32(1U << 16U).be32(0).take();
    }
    SECTION("a header extension without end") {
        bytes = ByteWriter{}.bytes({header.data(), 11}).be32(0).be32(0xFFFFFFFF).take();
    }
    SECTION("too many fields") {
        bytes = ByteWriter{}.bytes(header).be16(3).take();
    }
    SECTION("a field of 2 GB") {
        bytes = ByteWriter{}.bytes(header).be16(2).be32(0x7FFFFFFF).take();
    }
    SECTION("a negative length that is not NULL") {
        bytes = ByteWriter{}.bytes(header).be16(2).be32(0xFFFFFFFE).take();
    }
    SECTION("bytes after the trailer") {
        bytes = two_rows() + "x";
    }
    BinaryCopyDecoder decoder{2};
    decoder.feed(bytes);
    auto next = decoder.next();
    while (next.has_value() && next->has_value()) {
        next = decoder.next();
    }
    CHECK(next.has_error());
    decoder.feed(two_rows());
    CHECK(decoder.next().has_error());
}
