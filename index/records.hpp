#pragma once

#include "index/memory_budget.hpp"
#include "index/slot.hpp"
#include "index/value_column.hpp"

#include <atomic>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace veer::index {

inline constexpr Record no_record = std::numeric_limits<Record>::max();

/// The copied values of the rows, and since when they have them.
///
///     slot ──▶ newest ──▶ { birth | older ──▶ { birth | older | slot } ... | slot }
///                                                      one number in every ValueColumn
///
/// An UPDATE that leaves the vector as it is appends a record and touches neither slot nor graph: a
/// counter or a time of change that moves all day wears no graph out, and costs some bytes instead
/// of a vector. Upkeep replaces all of it when most records are superseded (RecordsCopy).
///
/// Invariants:
/// 1. One writer; readers beside it. A reader of `published` sees of each slot the newest record
///    with birth <= published.
/// 2. A record never changes, and it keeps its number: what was found out about records up to some
///    number stays true (Matches).
/// 3. Every slot has a record, unless there are no columns: then there are none.
class Records {
  public:
    /// Takes address space for `records_max`. Throws std::bad_alloc where there is none. Its texts,
    /// which no estimate can know, are taken from the budget.
    Records(
        std::span<const storage::ColumnType> types,
        std::size_t records_max,
        std::shared_ptr<MemoryBudget> budget = nullptr
    );

    /// As many as memory could hold.
    static std::size_t records_max(std::span<const storage::ColumnType> types);

    /// Memory of one row: a record and another that it supersedes.
    static std::size_t bytes_per_slot(std::span<const storage::ColumnType> types);

    std::size_t columns() const { return columns_.size(); }

    const ValueColumn& column(std::size_t column) const { return *columns_[column]; }

    /// Records so far; for the writer.
    std::size_t size() const { return size_; }

    /// Gives a slot its values; those that `values` has too few of are NULL. Says whether there was
    /// memory.
    bool set(Slot slot, std::span<const storage::ColumnValue> values, Sequence birth);

    /// Gives a slot the values that another one has in `from`.
    bool take(Slot slot, const Records& from, Record record, Sequence birth);

    /// Takes of the budget what texts will need, all of it or nothing; says whether it was there.
    bool make_room_for_texts(std::uint64_t bytes);

    /// What the record's texts take, where nobody shares them.
    std::size_t text_bytes(Record record) const;

    /// What texts have taken of the budget; from any thread.
    std::uint64_t memory_bytes() const { return texts_.bytes(); }

    /// Memory of texts so far, which no estimate can know; for the writer.
    std::size_t text_bytes() const;

    /// For the writer: whether these are the slot's newest values.
    bool holds(Slot slot, std::span<const storage::ColumnValue> values) const;

    /// The record that a reader sees, or no_record.
    Record at(Slot slot, Sequence published) const {
        Record record = newest(slot);
        while (record != no_record && head(record).birth > published) {
            record = head(record).older;
        }
        return record;
    }

    Record newest(Slot slot) const {
        const auto* const at = newest_at(slot);
        return at == nullptr ? no_record : at->load(std::memory_order_acquire) - 1;
    }

    Slot slot(Record record) const { return head(record).slot; }

    Sequence birth(Record record) const { return head(record).birth; }

  private:
    struct Head {
        Sequence birth;
        Record older;
        Slot slot;
    };

    const Head& head(Record record) const {
        return reinterpret_cast<const Head*>(heads_.data())[record];
    }

    /// Holds the record's number plus one, so that fresh memory means none.
    std::atomic<Record>* newest_at(Slot slot) const {
        const std::size_t end = (std::size_t{slot} + 1) * sizeof(std::atomic<Record>);
        return columns_.empty() || end > newest_bytes_.load(std::memory_order_acquire)
                   ? nullptr
                   : reinterpret_cast<std::atomic<Record>*>(newest_.data()) + slot;
    }

    std::optional<Record> begin(Slot slot, Sequence birth);
    void finish(Slot slot, Record record);

    MemoryShare texts_;
    std::vector<std::unique_ptr<ValueColumn>> columns_;
    ReservedMemory heads_;
    ReservedMemory newest_;
    std::atomic<std::size_t> newest_bytes_{0};  ///< usable, for readers
    std::size_t size_ = 0;                      ///< the writer's
    std::size_t room_ = 0;                      ///< the writer's
};

}  // namespace veer::index
