#pragma once

#include "storage/row.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace veer::index {

/// The vector that a row has for an index: that of its column, or where this is NULL, that of the
/// legacy one.
struct ChosenVector {
    const storage::Vector* vector = nullptr;  ///< null: NULL, or not to be read
    bool unparsable = false;
    bool legacy = false;
    bool unchanged = false;  ///< not known from this row alone
};

ChosenVector chosen_vector(
    const storage::Row& row, std::size_t vector, std::optional<std::size_t> legacy
);

/// Where the vectors of a declared index come from, row by row: which cannot be read, and which are
/// those of the legacy column.
///
///     put(key, chosen) ─▶ [ unparsable: key -> legacy? ]  [ legacy: hash of key ]
///
/// Invariants:
/// 1. `unparsable` is 0 only where every row can be read: past `unparsable_max` rows it stays what
///    it is until clear(), whatever is mended.
/// 2. Counts may be read from any thread; one writes.
class SourceCensus {
  public:
    static constexpr std::size_t unparsable_max = 100'000;

    struct Counts {
        std::uint64_t unparsable = 0;
        std::uint64_t unparsable_legacy = 0;  ///< of these, with the legacy column's value
        std::uint64_t legacy = 0;             ///< read, from the legacy column
    };

    void put(const storage::RowKey& key, const ChosenVector& chosen);
    void erase(const storage::RowKey& key);
    void clear();

    /// The index has been published: searches see what put() and erase() were about.
    void publish();

    Counts counts() const;

    /// Also of what searches see that run before the next publish().
    bool all_parse() const;

    /// How often a row has come that does not parse. A search during which neither this changes
    /// nor all_parse() misses no such row.
    std::uint64_t arrivals() const;

  private:
    void erase_locked(const storage::RowKey& key);

    mutable std::mutex mutex_;  ///< guards all below
    std::unordered_map<storage::RowKey, bool> unparsable_;
    std::uint64_t unparsable_legacy_ = 0;
    bool overflown_ = false;
    bool leaving_ = false;  ///< one of unparsable_ has gone since the last publish()
    std::uint64_t arrivals_ = 0;
    std::unordered_set<std::size_t> legacy_;  ///< only counted, so that a hash will do
};

/// Share of the rows with either vector that have the new one, in percent; 100 without rows.
/// `indexed` rows were read.
double migrated_percent(const SourceCensus::Counts& counts, std::uint64_t indexed);

}  // namespace veer::index
