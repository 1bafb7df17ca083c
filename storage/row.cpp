#include "storage/row.hpp"

#include "storage/byte_reader.hpp"

namespace veer::storage {

std::vector<std::string_view> key_columns(std::string_view key) {
    std::vector<std::string_view> columns;
    ByteReader reader{key};
    while (reader.remaining() > 0) {
        columns.push_back(reader.bytes(reader.be32()));
    }
    if (reader.failed()) {
        columns.clear();
    }
    return columns;
}

const Vector* vector_in(const VectorValue& value) {
    if (const auto* const foreign = std::get_if<ForeignVector>(&value)) {
        return foreign->vector.has_value() ? &*foreign->vector : nullptr;
    }
    return std::get_if<Vector>(&value);
}

void append_key_column(RowKey& key, std::string_view bytes) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        key.push_back(static_cast<char>(size >> shift));
    }
    key.append(bytes);
}

}  // namespace veer::storage
