#pragma once

#include "index/predicate.hpp"
#include "index/records.hpp"
#include "index/search_limits.hpp"
#include "index/versions.hpp"

#include <bit>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

namespace veer::index {

/// A bit for each of so many records or slots.
class Bits {
  public:
    Bits() = default;

    explicit Bits(std::size_t size) { resize(size); }

    void resize(std::size_t size) {
        size_ = size;
        words_.resize((size + 63) / 64);
    }

    std::size_t size() const { return size_; }

    bool test(std::size_t at) const {
        return at < size_ && (words_[at / 64] >> (at % 64) & 1U) != 0;
    }

    void set(std::size_t at) { words_[at / 64] |= std::uint64_t{1} << (at % 64); }

    std::vector<std::uint64_t>& words() { return words_; }

    const std::vector<std::uint64_t>& words() const { return words_; }

    /// Calls `visit` with each that is set, from the one at `first` on, which is divisible by 64,
    /// until it returns false.
    template <class Visit>
    void each_from(std::size_t first, Visit visit) const {
        for (std::size_t word = first / 64; word < words_.size(); ++word) {
            for (std::uint64_t left = words_[word]; left != 0; left &= left - 1) {
                if (!visit(word * 64 + static_cast<std::size_t>(std::countr_zero(left)))) {
                    return;
                }
            }
        }
    }

  private:
    std::vector<std::uint64_t> words_;
    std::size_t size_ = 0;
};

/// Which records pass a filter, and which nodes of the graph stand for a row that has such a
/// record. Both say nothing of visibility: a record that passes may be superseded, its row deleted.
///
///     records   0 1 1 0 0 1 ...          as of `records.size()` records
///     nodes     1 0 0 1 ...              by slot, of the first one with the same vector
///
/// As records never change, this stays true for ever; what came later is added to a copy.
struct Matches {
    Bits records;
    Bits nodes;
    std::size_t count = 0;  ///< of records that pass
    std::size_t node_count = 0;
    std::size_t current = 0;  ///< of these, about, those that were a row's newest at the last look
};

/// The part of an index that filters are about, as one snapshot has it.
struct RecordsView {
    const Records& records;
    std::size_t size = 0;  ///< of records that are published
    const Versions& versions;
    std::size_t slots = 0;
};

/// Keeps the matches of the filters that were used last, so that one which comes again costs a look
/// at what is new. At most `filters_max` of them, and `bytes_max`.
class MatchCache {
  public:
    static constexpr std::size_t filters_max = 64;
    static constexpr std::size_t bytes_max = 64U << 20U;

    /// The matches among the view's records, at least. Fails where the limits are reached. Any
    /// thread.
    Result<std::shared_ptr<const Matches>> get(
        const Filter& filter, const Predicate& predicate, const RecordsView& view, Effort& effort
    );

  private:
    struct Entry {
        Filter filter;
        std::shared_ptr<const Matches> matches;
    };

    std::shared_ptr<const Matches> find(const Filter& filter);
    void keep(const Filter& filter, std::shared_ptr<const Matches> matches);

    std::mutex mutex_;
    std::list<Entry> entries_;  ///< the last one used first
};

}  // namespace veer::index
