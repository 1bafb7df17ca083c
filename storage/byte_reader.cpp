#include "storage/byte_reader.hpp"

namespace veer::storage {

std::string_view ByteReader::bytes(std::size_t size) {
    if (failed_ || size > rest_.size()) {
        fail();
        return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

std::string_view ByteReader::cstring() {
    const std::size_t end = rest_.find('\0');
    if (failed_ || end == std::string_view::npos) {
        fail();
        return {};
    }
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return taken;
}

void ByteReader::fail() {
    failed_ = true;
    rest_ = {};
}

std::uint64_t ByteReader::big_endian(std::size_t size) {
    std::uint64_t value = 0;
    for (const char byte : bytes(size)) {
        value = (value << 8U) | static_cast<std::uint8_t>(byte);
    }
    return value;
}

}  // namespace veer::storage
