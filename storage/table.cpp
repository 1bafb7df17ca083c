#include "storage/table.hpp"

#include <algorithm>
#include <optional>

namespace veer::storage {

namespace {

struct Fingerprint {
    std::string_view versions;
    std::string_view file;
    std::string_view definitions;
};

std::optional<Fingerprint> split(std::string_view text) {
    const std::size_t first = text.find('|');
    const std::size_t second = first == std::string_view::npos ? first : text.find('|', first + 1);
    if (second == std::string_view::npos) {
        return std::nullopt;
    }
    return Fingerprint{
        text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

/// The columns at these positions, by what identifies and types them.
bool same_columns(
    const Table& left,
    const std::vector<std::size_t>& left_positions,
    const Table& right,
    const std::vector<std::size_t>& right_positions
) {
    return std::equal(
        left_positions.begin(),
        left_positions.end(),
        right_positions.begin(),
        right_positions.end(),
        [&](std::size_t one, std::size_t other) {
            const Column& here = left.columns[one];
            const Column& there = right.columns[other];
            return here.attnum == there.attnum && here.name == there.name &&
                   here.type_oid == there.type_oid && here.typmod == there.typmod &&
                   here.kind == there.kind;
        }
    );
}

}  // namespace

bool same_values(std::string_view fingerprint, std::string_view other) {
    if (fingerprint == other) {
        return true;
    }
    const auto left = split(fingerprint);
    const auto right = split(other);
    return left && right && left->definitions == right->definitions &&
           (left->versions == right->versions || left->file == right->file);
}

bool Table::same_rows(const Table& other) const {
    return oid == other.oid && same_columns(*this, key, other, other.key) &&
           same_columns(*this, vectors, other, other.vectors) &&
           same_columns(*this, copied, other, other.copied) && indexes == other.indexes &&
           same_values(fingerprint, other.fingerprint) &&
           same_values(copied_fingerprint, other.copied_fingerprint);
}

bool Table::same_shape(const Table& other) const {
    return oid == other.oid && schema == other.schema && name == other.name &&
           columns == other.columns && key == other.key && vectors == other.vectors &&
           indexes == other.indexes && fingerprint == other.fingerprint && copied == other.copied &&
           copied_fingerprint == other.copied_fingerprint;
}

}  // namespace veer::storage
