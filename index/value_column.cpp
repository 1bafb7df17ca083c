#include "index/value_column.hpp"

#include "storage/byte_reader.hpp"
#include "storage/byte_writer.hpp"

#include <algorithm>

namespace veer::index {

namespace {

using storage::ColumnType;

/// Texts up to this length are looked for among those that were stored before.
constexpr std::size_t shared_bytes_max = 64;
constexpr std::size_t shared_texts_max = 65'536;

/// Address space for texts; what is used of it is memory.
constexpr std::size_t text_bytes_reserved = 1024;

std::size_t width_of(ColumnType type) {
    const std::size_t bytes = storage::send_bytes(type);
    return bytes == 0 ? sizeof(std::uint64_t) : bytes;
}

/// A cell has the bytes of the send format in the order of this machine.
std::uint64_t from_network(std::string_view bytes) {
    storage::ByteReader reader{bytes};
    switch (bytes.size()) {
        case 1:
            return reader.u8();
        case 2:
            return reader.be16();
        case 4:
            return reader.be32();
        default:
            return reader.be64();
    }
}

std::string to_network(std::uint64_t cell, std::size_t width) {
    storage::ByteWriter writer;
    switch (width) {
        case 1:
            return writer.u8(static_cast<std::uint8_t>(cell)).take();
        case 2:
            return writer.be16(static_cast<std::uint16_t>(cell)).take();
        case 4:
            return writer.be32(static_cast<std::uint32_t>(cell)).take();
        default:
            return writer.be64(cell).take();
    }
}

}  // namespace

ValueColumn::ValueColumn(ColumnType type, std::size_t records_max)
    : type_{type},
      varies_{storage::send_bytes(type) == 0},
      width_{width_of(type)},
      cells_{records_max * width_},
      nulls_{(records_max / 64 + 1) * sizeof(std::uint64_t)},
      texts_{varies_ ? std::min(records_max * text_bytes_reserved, machine_memory_bytes()) : 0} {}

std::size_t ValueColumn::bytes_per_record(ColumnType type) {
    return width_of(type) + 1;
}

bool ValueColumn::reserve(std::size_t records) {
    return cells_.grow(records * width_) && nulls_.grow((records / 64 + 1) * sizeof(std::uint64_t));
}

bool ValueColumn::set(Record record, const storage::ColumnValue& value) {
    const auto* const bytes = std::get_if<std::string>(&value);
    const std::uint64_t mask = std::uint64_t{1} << (record % 64);
    const std::atomic_ref word{null_words()[record / 64]};
    const std::uint64_t others = word.load(std::memory_order_relaxed) & ~mask;
    word.store(bytes == nullptr ? others | mask : others, std::memory_order_relaxed);
    if (bytes == nullptr) {
        return true;
    }
    std::byte* const cell = cells_.data() + std::size_t{record} * width_;
    if (varies_) {
        const auto place = store_text(*bytes);
        if (place) {
            std::memcpy(cell, &*place, sizeof *place);
        }
        return place.has_value();
    }
    if (type_ == ColumnType::uuid) {
        std::memcpy(cell, bytes->data(), std::min(width_, bytes->size()));
        return true;
    }
    const std::uint64_t number = from_network(*bytes);
    std::memcpy(cell, &number, width_);  // little-endian: the low bytes come first
    return true;
}

/// Where the text begins in texts_; nothing where there is no memory.
std::optional<std::uint64_t> ValueColumn::store_text(std::string_view text) {
    const bool shared = text.size() <= shared_bytes_max;
    if (shared) {
        const auto found = seen_.find(text);
        if (found != seen_.end()) {
            return found->second;
        }
    }
    const auto length = static_cast<std::uint32_t>(text.size());
    const std::uint64_t place = text_size_;
    if (!texts_.grow(text_size_ + sizeof length + text.size())) {
        return std::nullopt;
    }
    auto* const stored = reinterpret_cast<char*>(texts_.data() + place);
    std::memcpy(stored, &length, sizeof length);
    std::copy(text.begin(), text.end(), stored + sizeof length);
    text_size_ += sizeof length + text.size();
    if (shared && seen_.size() < shared_texts_max) {
        seen_.emplace(std::string_view{stored + sizeof length, text.size()}, place);
    }
    return place;
}

std::string_view ValueColumn::bytes(Record record) const {
    if (type_ == ColumnType::uuid) {
        return {
            reinterpret_cast<const char*>(cells_.data() + std::size_t{record} * width_), width_};
    }
    const auto* const stored =
        reinterpret_cast<const char*>(texts_.data() + cell<std::uint64_t>(record));
    std::uint32_t length = 0;
    std::memcpy(&length, stored, sizeof length);
    return {stored + sizeof length, length};
}

std::optional<std::string> ValueColumn::send(Record record) const {
    if (is_null(record)) {
        return std::nullopt;
    }
    if (varies_ || type_ == ColumnType::uuid) {
        return std::string{bytes(record)};
    }
    std::uint64_t number = 0;
    std::memcpy(&number, cells_.data() + std::size_t{record} * width_, width_);
    return to_network(number, width_);
}

}  // namespace veer::index
