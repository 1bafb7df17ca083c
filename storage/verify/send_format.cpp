#include "storage/verify/send_format.hpp"

#include "storage/byte_writer.hpp"
#include "storage/half.hpp"

#include <bit>

namespace veer::storage::verify {

namespace {

std::optional<std::string> send_floats(VectorKind kind, const std::vector<float>& floats) {
    ByteWriter out;
    out.be16(static_cast<std::uint16_t>(floats.size())).be16(0);
    for (const float value : floats) {
        if (kind == VectorKind::vector) {
            out.be32(std::bit_cast<std::uint32_t>(value));
            continue;
        }
        const std::optional<std::uint16_t> half = nearest_half(value);
        if (!half.has_value() || half_value(*half) != value) {
            return std::nullopt;
        }
        out.be16(*half);
    }
    return out.take();
}

std::string send_bits(const BitVector& bits) {
    const std::size_t bytes = bits.length / 8 + (bits.length % 8 == 0 ? 0 : 1);
    const std::string_view all{
        reinterpret_cast<const char*>(bits.words.data()), bits.words.size() * sizeof bits.words[0]};
    return ByteWriter{}.be32(bits.length).bytes(all.substr(0, bytes)).take();
}

std::string send_sparse(const SparseVector& sparse) {
    ByteWriter out;
    out.be32(sparse.dimensions).be32(static_cast<std::uint32_t>(sparse.indices.size())).be32(0);
    for (const std::uint32_t index : sparse.indices) {
        out.be32(index);
    }
    for (const float value : sparse.values) {
        out.be32(std::bit_cast<std::uint32_t>(value));
    }
    return out.take();
}

}  // namespace

std::optional<std::string> send_format(VectorKind kind, const Vector& vector) {
    if (const auto* const bits = std::get_if<BitVector>(&vector)) {
        return kind == VectorKind::bit ? std::optional{send_bits(*bits)} : std::nullopt;
    }
    if (const auto* const sparse = std::get_if<SparseVector>(&vector)) {
        return kind == VectorKind::sparsevec ? std::optional{send_sparse(*sparse)} : std::nullopt;
    }
    const bool floats = kind == VectorKind::vector || kind == VectorKind::halfvec;
    return floats ? send_floats(kind, std::get<std::vector<float>>(vector)) : std::nullopt;
}

}  // namespace veer::storage::verify
