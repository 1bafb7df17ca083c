#pragma once

#include "index/records.hpp"
#include "index/versions.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace veer::index {

/// Copies the records that readers can still see into fresh ones, while the writer appends to the
/// old. The old ones are the log of changes: a record never changes, and a number once given stays.
///
///     old     [ x . x . . x | . x . | . ]       x superseded, or of a slot that is not copied
///               copied       copied   left: the tail
///     fresh   [ . . . | . . ]
///
/// Invariant: a reader of any number from `published` on sees of each copied slot, once no tail is
/// left, the same values in both.
class RecordsCopy {
  public:
    /// `published` is the least number that readers to come may have.
    RecordsCopy(
        std::shared_ptr<const Records> old, std::shared_ptr<Records> fresh, Sequence published
    )
        : old_{std::move(old)}, fresh_{std::move(fresh)}, published_{published} {}

    std::size_t copied() const { return copied_; }

    const std::shared_ptr<Records>& fresh() const { return fresh_; }

    /// Takes what the texts of records up to number `end` need at most, all of it or nothing: a
    /// copy that fails in its middle would leave nobody else any memory until then.
    template <class Moved>
    bool make_room(std::size_t end, const Moved& moved) {
        std::uint64_t bytes = 0;
        for (std::size_t at = 0; at < end && bytes < old_->memory_bytes(); ++at) {
            const auto record = static_cast<Record>(at);
            if (moved(old_->slot(record)) != no_slot && !superseded(record)) {
                bytes += old_->text_bytes(record);
            }
        }
        return fresh_->make_room_for_texts(std::min(bytes, old_->memory_bytes()));
    }

    /// Follows the old records up to number `end`; `moved` says which slot an old one's values go
    /// to, or no_slot. False where memory is missing, or `stopping`.
    template <class Moved>
    bool follow(std::size_t end, const Moved& moved, const std::atomic<bool>& stopping) {
        for (; copied_ < end; ++copied_) {
            const auto record = static_cast<Record>(copied_);
            const Slot slot = moved(old_->slot(record));
            if (stopping || (slot != no_slot && !copy(record, slot))) {
                return false;
            }
        }
        return true;
    }

  private:
    bool superseded(Record record) const {
        return old_->birth(record) <= published_ &&
               old_->at(old_->slot(record), published_) != record;
    }

    bool copy(Record record, Slot slot) {
        return superseded(record) || fresh_->take(slot, *old_, record, old_->birth(record));
    }

    std::shared_ptr<const Records> old_;
    std::shared_ptr<Records> fresh_;
    Sequence published_;
    std::size_t copied_ = 0;
};

}  // namespace veer::index
