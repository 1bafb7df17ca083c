#include "storage/source/binary_copy.hpp"

#include "storage/byte_reader.hpp"

namespace veer::storage::source {

namespace {

constexpr std::string_view signature{"PGCOPY\n\377\r\n\0", 11};
constexpr std::uint32_t critical_flags = 0xFFFF0000U;
constexpr std::uint16_t trailer = 0xFFFF;
constexpr std::uint32_t null_length = 0xFFFFFFFFU;

}  // namespace

void BinaryCopyDecoder::feed(std::string_view bytes) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
    buffer_.append(bytes);
}

Result<std::optional<BinaryCopyDecoder::Fields>> BinaryCopyDecoder::fail(std::string_view why) {
    state_ = State::failed;
    return Error{
        Errc::unexpected, std::string{"The binary COPY is malformed: "}.append(why).append(".")};
}

bool BinaryCopyDecoder::take_header() {
    const std::string_view rest = std::string_view{buffer_}.substr(consumed_);
    const std::size_t seen = std::min(rest.size(), signature.size());
    malformed_ = rest.substr(0, seen) != signature.substr(0, seen);
    ByteReader in{rest};
    in.bytes(signature.size());
    const std::uint32_t flags = in.be32();
    const std::uint32_t extension = in.be32();
    malformed_ = malformed_ || (flags & critical_flags) != 0 || extension > tuple_bytes_max;
    in.bytes(extension);
    if (malformed_ || in.failed()) {
        return false;
    }
    consumed_ = buffer_.size() - in.remaining();
    state_ = State::tuples;
    return true;
}

Result<std::optional<BinaryCopyDecoder::Fields>> BinaryCopyDecoder::next() {
    if (state_ == State::failed) {
        return fail("an earlier error");
    }
    if (state_ == State::header && !take_header()) {
        return malformed_ ? fail("wrong header") : std::optional<Fields>{};
    }
    ByteReader in{std::string_view{buffer_}.substr(consumed_)};
    if (state_ == State::ended) {
        return in.remaining() == 0 ? std::optional<Fields>{} : fail("bytes after the trailer");
    }
    const std::uint16_t count = in.be16();
    if (in.failed()) {
        return std::optional<Fields>{};
    }
    if (count == trailer) {
        consumed_ = buffer_.size() - in.remaining();
        state_ = State::ended;
        return next();
    }
    if (count != field_count_) {
        return fail("wrong number of fields");
    }
    Fields fields;
    for (std::size_t field = 0; field < field_count_; ++field) {
        const std::uint32_t length = in.be32();
        if (length != null_length && length > tuple_bytes_max) {
            return fail("a field is too long");
        }
        if (length == null_length) {
            fields.emplace_back(std::nullopt);
        } else {
            fields.emplace_back(in.bytes(length));
        }
    }
    if (in.failed()) {
        return buffer_.size() - consumed_ > tuple_bytes_max ? fail("a row is too long")
                                                            : std::optional<Fields>{};
    }
    consumed_ = buffer_.size() - in.remaining();
    return std::optional{std::move(fields)};
}

}  // namespace veer::storage::source
