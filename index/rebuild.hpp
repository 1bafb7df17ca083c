#pragma once

#include "index/records_copy.hpp"
#include "index/segment.hpp"

#include <atomic>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace veer::index {

/// How much of a segment and its records there is, and who has died since one looked last.
struct Changes {
    std::size_t end = 0;
    std::size_t records_end = 0;
    std::vector<Slot> dead = {};
};

/// Copies what is alive of one segment into a fresh one, while the writer goes on changing the old.
///
///     old     [ x . x . . x . . | . x . . | . . ]          x dead
///               copied           copied     left to copy: the tail
///     fresh   [ . . . . . | . . . ]                        births and deaths are the old slots'
///
/// Invariants:
/// 1. A reader of any number published since the rebuild began sees in the fresh segment, once no
///    tail is left, exactly the rows that it sees in the old one. So it does not matter in the
///    middle of which transaction the two are exchanged.
/// 2. follow() must be told of every death that the old segment has seen since the last call, and
///    has before it returns read no slot at or beyond `end`, and no record beyond its end.
class Rebuild {
  public:
    using Live = std::unordered_map<std::string_view, Slot>;

    /// `records` are those of the old segment; they have to have its number of `published`, the
    /// least that readers to come may have.
    Rebuild(
        std::shared_ptr<const Segment> old,
        std::shared_ptr<Segment> fresh,
        RecordsCopy records,
        Sequence published
    )
        : old_{std::move(old)},
          fresh_{std::move(fresh)},
          published_{published},
          records_{std::move(records)} {}

    /// Of `changes`, what has yet to be copied.
    std::size_t left(const Changes& changes) const {
        return changes.end - copied_ + changes.dead.size() + changes.records_end -
               records_.copied();
    }

    /// Less of `changes`, to begin with: all deaths, and of what is to be copied so many rows or
    /// records at most.
    Changes first_of(Changes changes, std::size_t most) const;

    /// Follows the old segment; false where memory is missing, or `stopping`.
    bool follow(const Changes& changes, unsigned threads, const std::atomic<bool>& stopping);

    const std::shared_ptr<Segment>& fresh() const { return fresh_; }

    const std::shared_ptr<Records>& records() const { return records_.fresh(); }

    /// Keys of the living and their slots in the fresh segment.
    Live& live() { return live_; }

  private:
    void bury(std::span<const Slot> dead);
    bool append(std::size_t end, std::vector<Slot>& nodes, const std::atomic<bool>& stopping);

    std::shared_ptr<const Segment> old_;
    std::shared_ptr<Segment> fresh_;
    Sequence published_;
    RecordsCopy records_;
    std::size_t copied_ = 0;
    std::vector<Slot> moved_;  ///< by old slot: its slot in the fresh segment, or no_slot
    Live live_;
};

}  // namespace veer::index
