#pragma once

#include "index/filter.hpp"
#include "index/predicate.hpp"
#include "index/records.hpp"
#include "storage/column_type.hpp"
#include "storage/row.hpp"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace veer::index {

/// Whether single rows pass, of which only their copied values are at hand: as a search would find
/// it.
///
///     prepare(filter) ──▶ Predicate                    once, for many rows
///     begin(values) ──▶ passes(one), passes(other) ... once a row, for many predicates
///
/// The values are copied when the first one asks, into memory that is used again: a row costs what
/// it takes to copy it. For one thread at a time.
class RowProbe {
  public:
    /// Of an index with these copied columns.
    explicit RowProbe(std::vector<storage::ColumnType> types);

    const std::vector<storage::ColumnType>& types() const { return types_; }

    /// Nothing where the filter is not of these columns, or there is no memory.
    std::optional<Predicate> prepare(const Filter& filter);

    /// Another row, whose values live for as long as it is asked about.
    void begin(std::span<const storage::ColumnValue> values);

    /// Nothing where a value is unchanged, the values are of other columns, or there is no memory.
    std::optional<bool> passes(const Predicate& predicate);

  private:
    /// So many rows are taken before their memory is given back, or so many bytes of texts.
    static constexpr std::size_t rows_max = 1024;
    static constexpr std::size_t text_bytes_max = std::size_t{1} << 20U;

    bool make_room();
    bool copy();

    std::vector<storage::ColumnType> types_;
    std::unique_ptr<Records> records_;  ///< from the first use on
    std::span<const storage::ColumnValue> values_;
    std::optional<bool> copied_;  ///< nothing: not yet; false: it cannot be told of this row
};

}  // namespace veer::index
