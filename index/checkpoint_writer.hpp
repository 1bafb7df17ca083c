#pragma once

#include "index/checkpoint.hpp"
#include "index/segment.hpp"
#include "storage/chunk_store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace veer::index {

/// Writes one index's checkpoints, beside its writer and its searches.
///
///     touched chunks ─▶ put, one at a time ─▶ commit(manifest, erase those before)
///
/// Invariants:
/// 1. What a committed manifest names is never written again under the same key: a crash at any
///    point leaves the checkpoint before, or this one.
/// 2. Each chunk is read at a moment of its own. That is enough: links lead to slots below the
///    manifest's, or are left out, and a walk needs no more.
/// 3. At most one chunk's bytes are in flight.
class CheckpointWriter {
  public:
    /// What of the segment is to be written: it is searched so by now.
    struct View {
        std::shared_ptr<const Segment> segment;
        std::size_t slots = 0;
        Sequence published = 0;
        storage::Lsn position;
        std::size_t vectors_until = 0;  ///< see Manifest
    };

    struct Written {
        std::size_t chunks = 0;
        std::uint64_t bytes = 0;
    };

    CheckpointWriter(storage::ChunkStore& store, std::string index, const IndexOptions& options)
        : store_{store}, index_{std::move(index)}, options_{checkpoint::options_text(options)} {}

    /// Goes on from a checkpoint that the segment was read from.
    void resume(const std::shared_ptr<const Segment>& segment, checkpoint::Manifest manifest) {
        segment_ = segment;
        manifest_ = std::move(manifest);
    }

    /// Writes what has changed since the last one; what failed is written with the next. Nothing
    /// where `stopping` says so.
    storage::Result<Written> write(const View& view, const std::function<bool()>& stopping);

  private:
    storage::Result<void> write_chunks(
        const View& view,
        checkpoint::Manifest& next,
        Written& written,
        const std::function<bool()>& stopping
    );
    storage::Result<void> write_chunk(
        const View& view, std::size_t chunk, checkpoint::Manifest& next, Written& written
    );
    storage::Result<std::vector<std::string>> replaced(const checkpoint::Manifest& next) const;

    storage::ChunkStore& store_;
    std::string index_;
    std::string options_;
    std::weak_ptr<const Segment> segment_;          ///< that the manifest is of
    std::optional<checkpoint::Manifest> manifest_;  ///< the last one committed
    std::uint64_t number_ = 0;                      ///< the last one tried
    bool cleaned_ = false;                          ///< of what others left behind
};

}  // namespace veer::index
