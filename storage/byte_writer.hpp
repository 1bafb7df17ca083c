#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace veer::storage {

/// Appends big-endian fields; ByteReader reads them back.
class ByteWriter {
  public:
    ByteWriter& u8(std::uint8_t value) { return big_endian(value, 1); }

    ByteWriter& be16(std::uint16_t value) { return big_endian(value, 2); }

    ByteWriter& be32(std::uint32_t value) { return big_endian(value, 4); }

    ByteWriter& be64(std::uint64_t value) { return big_endian(value, 8); }

    ByteWriter& bytes(std::string_view value) {
        written_.append(value);
        return *this;
    }

    /// Appends be32 length and the bytes.
    ByteWriter& sized(std::string_view value) {
        return be32(static_cast<std::uint32_t>(value.size())).bytes(value);
    }

    void reserve(std::size_t size) { written_.reserve(size); }

    const std::string& written() const { return written_; }

    std::string take() { return std::move(written_); }

  private:
    ByteWriter& big_endian(std::uint64_t value, unsigned size) {
        for (unsigned byte = size; byte-- > 0;) {
            written_.push_back(static_cast<char>(value >> (8U * byte)));
        }
        return *this;
    }

    std::string written_;
};

}  // namespace veer::storage
