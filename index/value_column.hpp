#pragma once

#include "index/reserved_memory.hpp"
#include "storage/column_type.hpp"
#include "storage/row.hpp"

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace veer::index {

/// Number of one version of a row's copied values, see Records.
using Record = std::uint32_t;

/// A double as an integer that is ordered and equal as Postgres has it: NaN equals NaN and is
/// greater than all else, -0 equals 0.
inline std::int64_t ordered(double value) {
    constexpr std::int64_t greatest = 0x7FF8'0000'0000'0000;
    if (value != value) {
        return greatest;
    }
    const auto bits = std::bit_cast<std::int64_t>(value == 0 ? 0.0 : value);
    return bits < 0 ? bits ^ std::int64_t{0x7FFF'FFFF'FFFF'FFFF} : bits;
}

/// The values of one copied column, by record, in arrays that grow in place:
///
///     cells   [ number of the type's width | 16 bytes of a uuid | place of a text, array, jsonb ]
///     nulls   [ 64 records a word ] ...
///     texts   [ length | bytes ] ...        short ones that come again are stored once
///
/// Invariants:
/// 1. One writer. A record is written before readers learn of it, and never changes afterwards, so
///    they take no lock; words of `nulls` are shared with records to come, hence atomic.
class ValueColumn {
  public:
    ValueColumn(storage::ColumnType type, std::size_t records_max);

    /// Memory of one record, texts excepted.
    static std::size_t bytes_per_record(storage::ColumnType type);

    storage::ColumnType type() const { return type_; }

    /// Makes room; says whether there was memory.
    bool reserve(std::size_t records);

    /// Writes a record that no reader knows yet; says whether there was memory. Requires room, and
    /// a value of the type or NULL.
    bool set(Record record, const storage::ColumnValue& value);

    bool is_null(Record record) const { return (nulls(record / 64) >> (record % 64) & 1U) != 0; }

    /// 64 records' NULLs at once.
    std::uint64_t nulls(std::size_t word) const {
        return std::atomic_ref{null_words()[word]}.load(std::memory_order_relaxed);
    }

    /// The cell as it lies in memory. Requires a type of that width.
    template <class Cell>
    Cell cell(Record record) const {
        Cell value;
        std::memcpy(&value, cells_.data() + std::size_t{record} * sizeof(Cell), sizeof(Cell));
        return value;
    }

    /// Of a uuid, or of a type whose lengths vary, what is sent; not of NULL. Lives as long as the
    /// column.
    std::string_view bytes(Record record) const;

    /// The value in its binary send format; nothing for NULL.
    std::optional<std::string> send(Record record) const;

    std::size_t text_bytes() const { return text_size_; }

  private:
    std::uint64_t* null_words() const { return reinterpret_cast<std::uint64_t*>(nulls_.data()); }

    std::optional<std::uint64_t> store_text(std::string_view text);

    storage::ColumnType type_;
    bool varies_;  ///< in length: cells are places in texts_
    std::size_t width_;
    ReservedMemory cells_;
    ReservedMemory nulls_;
    ReservedMemory texts_;
    std::size_t text_size_ = 0;                                 ///< the writer's
    std::unordered_map<std::string_view, std::uint64_t> seen_;  ///< the writer's; views of texts_
};

}  // namespace veer::index
