#pragma once

#include "proxy/wire/frame.hpp"

#include <cstdint>
#include <string>

namespace veer::proxy::wire {

/// Appends one message to a buffer; the length is patched in when the writer goes out of scope.
///
///     { MessageWriter m(out, 'C'); m.text("SELECT 5"); }
class MessageWriter {
  public:
    MessageWriter(std::string& out, char type) : out_(out) {
        out_.push_back(type);
        length_at_ = out_.size();
        out_.append(4, '\0');
    }

    MessageWriter(const MessageWriter&) = delete;
    MessageWriter& operator=(const MessageWriter&) = delete;

    ~MessageWriter() {
        const auto length = static_cast<std::uint32_t>(out_.size() - length_at_);
        for (std::size_t i = 0; i < 4; ++i) {
            out_[length_at_ + i] = static_cast<char>(length >> (24 - 8 * i));
        }
    }

    MessageWriter& u8(std::uint8_t value) { return number(value, 1); }

    MessageWriter& i16(std::int16_t value) { return number(static_cast<std::uint16_t>(value), 2); }

    MessageWriter& i32(std::int32_t value) { return number(static_cast<std::uint32_t>(value), 4); }

    MessageWriter& u32(std::uint32_t value) { return number(value, 4); }

    MessageWriter& bytes(Bytes value) {
        out_.append(value);
        return *this;
    }

    /// A NUL-terminated string. Requires no NUL inside.
    MessageWriter& text(Bytes value) {
        out_.append(value);
        out_.push_back('\0');
        return *this;
    }

    /// A field of DataRow or Bind: length and bytes.
    MessageWriter& field(Bytes value) {
        i32(static_cast<std::int32_t>(value.size()));
        return bytes(value);
    }

  private:
    MessageWriter& number(std::uint64_t value, int count) {
        for (int i = count - 1; i >= 0; --i) {
            out_.push_back(static_cast<char>(value >> static_cast<unsigned>(8 * i)));
        }
        return *this;
    }

    std::string& out_;
    std::size_t length_at_ = 0;
};

}  // namespace veer::proxy::wire
