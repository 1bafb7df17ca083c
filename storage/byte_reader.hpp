#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace veer::storage {

/// Reads big-endian fields from bytes that somebody else wrote, never past their end.
///
///     [ consumed | next field ... | end )
///
/// Invariants:
/// 1. The error is sticky: after the first read past the end every getter returns zero or empty, so
///    that a decoder is a straight line and asks failed() once.
/// 2. Views returned by bytes() and cstring() live as long as the bytes given to the constructor.
class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : rest_{bytes} {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }

    std::uint16_t be16() { return static_cast<std::uint16_t>(big_endian(2)); }

    std::uint32_t be32() { return static_cast<std::uint32_t>(big_endian(4)); }

    std::uint64_t be64() { return big_endian(8); }

    /// Takes exactly `size` bytes.
    std::string_view bytes(std::size_t size);

    /// Takes the bytes up to a zero byte, which is consumed and not returned.
    std::string_view cstring();

    /// Turns the reader into a failed one, for values that make no sense.
    void fail();

    bool failed() const { return failed_; }

    std::size_t remaining() const { return rest_.size(); }

    /// True where every byte was consumed and nothing went wrong.
    bool at_end() const { return !failed_ && rest_.empty(); }

  private:
    std::uint64_t big_endian(std::size_t size);

    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace veer::storage
