#pragma once

#include "proxy/wire/frame.hpp"

#include <cstddef>
#include <cstdint>

namespace veer::proxy::wire {

/// Reads big-endian fields from a message.
///
/// Errors stick: after the first read past the end everything reads as zero or empty, and ok() says
/// false for ever, so that a decoder is a straight line with one check at its end.
class Reader {
  public:
    explicit Reader(Bytes bytes) : rest_(bytes) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }

    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }

    std::int16_t i16() { return static_cast<std::int16_t>(number(2)); }

    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }

    std::int32_t i32() { return static_cast<std::int32_t>(number(4)); }

    std::uint64_t u64() { return number(8); }

    /// `count` raw bytes.
    Bytes bytes(std::size_t count) {
        if (!ok_ || count > rest_.size()) {
            fail();
            return {};
        }
        const Bytes taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    /// A NUL-terminated string, the NUL consumed and not returned.
    Bytes text() {
        const std::size_t end = rest_.find('\0');
        if (!ok_ || end == Bytes::npos) {
            fail();
            return {};
        }
        const Bytes taken = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return taken;
    }

    bool ok() const { return ok_; }

    /// True where all was read and nothing is left over.
    bool done() const { return ok_ && rest_.empty(); }

    std::size_t remaining() const { return rest_.size(); }

  private:
    std::uint64_t number(std::size_t count) {
        std::uint64_t value = 0;
        for (const char byte : bytes(count)) {
            value = (value << 8U) | static_cast<std::uint8_t>(byte);
        }
        return value;
    }

    void fail() {
        ok_ = false;
        rest_ = {};
    }

    Bytes rest_;
    bool ok_ = true;
};

}  // namespace veer::proxy::wire
