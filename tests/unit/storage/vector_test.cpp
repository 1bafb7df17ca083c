#include "storage/vector.hpp"

#include "storage/byte_writer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <bit>
#include <random>
#include <string>

using namespace veer::storage;

namespace {

ByteWriter& put_floats(ByteWriter& out, const std::vector<float>& values) {
    for (const float value : values) {
        out.be32(std::bit_cast<std::uint32_t>(value));
    }
    return out;
}

/// What vector_send writes.
std::string sent(const std::vector<float>& values) {
    ByteWriter out;
    out.be16(static_cast<std::uint16_t>(values.size())).be16(0);
    return put_floats(out, values).take();
}

/// What sparsevec_send writes.
std::string sent(const SparseVector& sparse) {
    ByteWriter out;
    out.be32(sparse.dimensions).be32(static_cast<std::uint32_t>(sparse.indices.size())).be32(0);
    for (const std::uint32_t index : sparse.indices) {
        out.be32(index);
    }
    return put_floats(out, sparse.values).take();
}

void check_every_cut(VectorKind kind, const std::string& bytes) {
    CHECK(decode_vector(kind, bytes).has_value());
    CHECK_FALSE(decode_vector(kind, bytes + "x").has_value());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_FALSE(decode_vector(kind, bytes.substr(0, size)).has_value());
    }
}

}  // namespace

TEST_CASE("Kinds have their types' names", "[storage]") {
    for (const auto kind :
         {VectorKind::vector, VectorKind::halfvec, VectorKind::bit, VectorKind::sparsevec}) {
        CHECK(vector_kind_of(to_string(kind)) == kind);
    }
    CHECK_FALSE(vector_kind_of("varbit").has_value());
}

TEST_CASE("A vector decodes from its send format, and from nothing else", "[storage]") {
    const std::string bytes = sent(std::vector<float>{1.5F, -2});
    CHECK(decode_vector(VectorKind::vector, bytes) == Vector{std::vector<float>{1.5F, -2}});
    check_every_cut(VectorKind::vector, bytes);
    const auto refused = [](ByteWriter out) {
        return !decode_vector(VectorKind::vector, out.take()).has_value();
    };
    CHECK(refused(ByteWriter{}.be16(0).be16(0)));
    CHECK(refused(ByteWriter{}.be16(1).be16(1).be32(0)));
    CHECK(refused(ByteWriter{}.be16(0xFFFF).be16(0)));
}

TEST_CASE("A halfvec widens exactly", "[storage]") {
    const std::string bytes =
        ByteWriter{}.be16(3).be16(0).be16(0x3C00).be16(0x0001).be16(0xFBFF).take();
    const auto vector = decode_vector(VectorKind::halfvec, bytes);
    CHECK(vector == Vector{std::vector<float>{1, 0x1p-24F, -65504}});
    check_every_cut(VectorKind::halfvec, bytes);
    CHECK_FALSE(decode_vector(VectorKind::vector, bytes).has_value());
}

TEST_CASE("bit decodes to words, its padding zero", "[storage]") {
    const std::string ten = ByteWriter{}.be32(10).u8(0xB0).u8(0x40).take();
    CHECK(decode_vector(VectorKind::bit, ten) == Vector{BitVector{10, {0x40B0}}});
    check_every_cut(VectorKind::bit, ten);
    const std::string wide = ByteWriter{}.be32(65).be64(0).u8(0x80).take();
    CHECK(decode_vector(VectorKind::bit, wide) == Vector{BitVector{65, {0, 0x80}}});
    CHECK_FALSE(
        decode_vector(VectorKind::bit, ByteWriter{}.be32(10).u8(0).u8(0x20).take()).has_value()
    );
    CHECK_FALSE(decode_vector(VectorKind::bit, ByteWriter{}.be32(0).take()).has_value());
    CHECK_FALSE(decode_vector(VectorKind::bit, ByteWriter{}.be32(0xFFFFFFFF).take()).has_value());
}

TEST_CASE("A sparsevec decodes from ascending indices and values other than zero", "[storage]") {
    const SparseVector sparse{1'000'000'000, {0, 7, 999'999'999}, {1.5F, -2, 3}};
    CHECK(decode_vector(VectorKind::sparsevec, sent(sparse)) == Vector{sparse});
    check_every_cut(VectorKind::sparsevec, sent(sparse));
    CHECK(
        decode_vector(VectorKind::sparsevec, sent(SparseVector{5, {}, {}})) ==
        Vector{SparseVector{5, {}, {}}}
    );
    const auto refused = [](const SparseVector& bad) {
        return !decode_vector(VectorKind::sparsevec, sent(bad)).has_value();
    };
    CHECK(refused({0, {}, {}}));
    CHECK(refused({1'000'000'001, {}, {}}));
    CHECK(refused({5, {5}, {1}}));
    CHECK(refused({5, {2, 1}, {1, 1}}));
    CHECK(refused({5, {2, 2}, {1, 1}}));
    CHECK(refused({5, {2}, {0}}));
    CHECK_FALSE(
        decode_vector(VectorKind::sparsevec, ByteWriter{}.be32(5).be32(0xFFFFFFFF).be32(0).take())
            .has_value()
    );
}

TEST_CASE("Any bytes decode to a vector that fits its type, or to nothing", "[storage]") {
    std::mt19937 random{5};
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes(random() % 40, '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(random() % 4 == 0 ? random() : random() % 3);
        }
        for (const auto kind :
             {VectorKind::vector, VectorKind::halfvec, VectorKind::bit, VectorKind::sparsevec}) {
            const auto vector = decode_vector(kind, bytes);
            if (vector.has_value()) {
                CHECK(dimensions_of(*vector) >= 1);
                CHECK(bytes_of(*vector) <= 2 * bytes.size() + 8);
            }
        }
    }
}
