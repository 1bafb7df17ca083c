#include "storage/lsn.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace veer::storage {

namespace {

/// Parses one half of an LSN: 1 to 8 hexadecimal digits and nothing else.
bool parse_half(std::string_view text, std::uint32_t& half) {
    if (text.empty() || text.size() > 8) {
        return false;
    }
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, half, 16);
    return error == std::errc{} && stopped == end;
}

}  // namespace

std::string to_string(Lsn lsn) {
    std::array<char, 24> text{};
    const auto high = static_cast<std::uint32_t>(lsn.value >> 32U);
    const auto low = static_cast<std::uint32_t>(lsn.value);
    const int length = std::snprintf(text.data(), text.size(), "%X/%X", high, low);
    return {text.data(), static_cast<std::size_t>(length)};
}

Lsn parse_lsn(const std::string& text) {
    const std::string_view view = text;
    const std::size_t slash = view.find('/');
    std::uint32_t high = 0;
    std::uint32_t low = 0;
    if (slash == std::string_view::npos || !parse_half(view.substr(0, slash), high) ||
        !parse_half(view.substr(slash + 1), low)) {
        return {};
    }
    return {(std::uint64_t{high} << 32U) | low};
}

Lsn normalise_insert_lsn(Lsn insert, std::uint32_t wal_block_size, std::uint32_t wal_segment_size) {
    constexpr std::uint64_t page_header = 24;     // SizeOfXLogShortPHD
    constexpr std::uint64_t segment_header = 40;  // SizeOfXLogLongPHD
    if (wal_segment_size != 0 && insert.value % wal_segment_size == segment_header) {
        return {insert.value - segment_header};
    }
    if (wal_block_size != 0 && insert.value % wal_block_size == page_header) {
        return {insert.value - page_header};
    }
    return insert;
}

}  // namespace veer::storage
