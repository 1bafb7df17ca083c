#include "storage/source/vector_format.hpp"

#include "storage/byte_reader.hpp"

#include <bit>

namespace veer::storage::source {

std::optional<std::vector<float>> decode_vector(std::string_view bytes, std::int32_t dimensions) {
    ByteReader in{bytes};
    const std::uint16_t size = in.be16();
    const std::uint16_t unused = in.be16();
    if (in.failed() || unused != 0 || size != dimensions ||
        in.remaining() != std::size_t{size} * sizeof(float)) {
        return std::nullopt;
    }
    std::vector<float> floats(size);
    for (float& value : floats) {
        value = std::bit_cast<float>(in.be32());
    }
    return floats;
}

}  // namespace veer::storage::source
