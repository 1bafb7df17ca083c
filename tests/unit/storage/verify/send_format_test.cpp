#include "storage/verify/send_format.hpp"

#include "storage/byte_writer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <bit>

using namespace veer::storage;
using verify::send_format;

namespace {

std::string send_floats(std::initializer_list<float> floats) {
    ByteWriter out;
    out.be16(static_cast<std::uint16_t>(floats.size())).be16(0);
    for (const float value : floats) {
        out.be32(std::bit_cast<std::uint32_t>(value));
    }
    return out.take();
}

}  // namespace

TEST_CASE("A vector is sent as it came", "[storage]") {
    std::string bytes;
    VectorKind kind = VectorKind::vector;
    SECTION("vector, negative zero and the smallest values, too") {
        bytes = send_floats({1.5F, -0.0F, 1e-45F, -3e38F});
    }
    SECTION("halfvec: halves of every size") {
        kind = VectorKind::halfvec;
        const unsigned first = GENERATE(0x0000U, 0x0400U, 0x3C00U, 0x7800U, 0x8000U, 0xBC00U);
        ByteWriter out;
        out.be16(1'024).be16(0);
        for (unsigned i = 0; i < 1'024; ++i) {
            out.be16(static_cast<std::uint16_t>(first + i));
        }
        bytes = out.take();
    }
    SECTION("bit, of a length that fills no byte") {
        kind = VectorKind::bit;
        bytes = ByteWriter{}.be32(77).bytes("\xF0\x0F\x12\x34\x56\x78\x9A\xBC\xDE\xF8").take();
    }
    SECTION("sparsevec") {
        kind = VectorKind::sparsevec;
        ByteWriter out;
        out.be32(1'000).be32(2).be32(0).be32(3).be32(999);
        out.be32(std::bit_cast<std::uint32_t>(0.5F)).be32(std::bit_cast<std::uint32_t>(-7.0F));
        bytes = out.take();
    }
    const auto vector = decode_vector(kind, bytes);
    REQUIRE(vector.has_value());
    CHECK(send_format(kind, *vector) == bytes);
}

TEST_CASE("What no column of the type can hold is sent as nothing", "[storage]") {
    CHECK_FALSE(send_format(VectorKind::halfvec, std::vector<float>{0.1F}).has_value());
    CHECK_FALSE(send_format(VectorKind::bit, std::vector<float>{1}).has_value());
    CHECK_FALSE(send_format(VectorKind::vector, SparseVector{3, {1}, {2}}).has_value());
}
