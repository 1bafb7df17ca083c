#pragma once

#include "index/checkpoint.hpp"
#include "index/segment.hpp"
#include "storage/chunk_store.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace veer::index {

/// A graph that is read back from a checkpoint, while its rows come.
///
///     begin(): links, levels, keys, hashes of vectors
///     claim(row), fill(its vector), take(): where the hash fits, the slot is the row's
///     finish(): who has got no vector is bridged; the rest is as it was
///
/// Invariants:
/// 1. The rows decide. A checkpoint only says how vectors are linked: of another time, or with bits
///    flipped that no checksum found, it can cost recall and never show a row that is not there.
/// 2. A checkpoint of other options, or of which one byte does not fit, is refused whole.
class Restore {
  public:
    using Live = std::unordered_map<std::string_view, Slot>;

    /// Null where there is no checkpoint; an error says why there is one and it is of no use.
    static storage::Result<std::unique_ptr<Restore>> begin(
        const storage::ChunkStore& store,
        const std::string& index,
        const IndexOptions& options,
        const Space& space,
        const GraphOptions& graph,
        const Room& room
    );

    const std::shared_ptr<Segment>& segment() const { return segment_; }

    const checkpoint::Manifest& manifest() const { return manifest_; }

    /// Whether the graph has no codes because their links proved them too coarse, and there are not
    /// twice as many rows yet. To learn them anew from a sample, which says less, would have the
    /// graph linked by them until that is found again.
    bool proved_codes_coarse(Quantization quantization) const;

    /// A row's slot, which nobody else gets; empty where there is none for this key.
    using Claim = Live::node_type;

    Claim claim(std::string_view key);

    /// Gives a claimed slot its vector; false where it had another one. From several threads at
    /// once for different slots, where the space has a fixed size.
    bool fill(Slot slot, std::span<const float> vector);

    /// Puts a filled slot among the living.
    void take(Claim claim, Live& live);

    struct Finished {
        std::uint64_t taken = 0;  ///< rows that take() found a slot for
        std::uint64_t lost = 0;   ///< nodes without a vector
        bool in_memory = true;    ///< false where memory was missing, and links are
    };

    /// After all rows. Adds to `unlinked` the slots that have yet to become nodes.
    Finished finish(std::vector<Slot>& unlinked);

  private:
    Restore(checkpoint::Manifest manifest, std::uint32_t dimensions)
        : manifest_{std::move(manifest)}, dimensions_{dimensions} {}

    bool read_chunk(const storage::ChunkStore& store, const std::string& index, std::size_t chunk);
    bool read_dead(const storage::ChunkStore& store, const std::string& index, std::size_t chunk);
    bool add(const checkpoint::SlotImage& image);
    bool links_are_valid() const;

    bool is_node(Slot slot) const {
        return kinds_[slot] == checkpoint::SlotKind::node ||
               kinds_[slot] == checkpoint::SlotKind::dead_node;
    }

    Slot entry_among(const std::vector<bool>& lost) const;

    checkpoint::Manifest manifest_;
    std::uint32_t dimensions_;
    std::shared_ptr<Segment> segment_;
    std::vector<checkpoint::SlotKind> kinds_;
    std::vector<std::uint64_t> hashes_;
    std::vector<char> filled_;  ///< 1: has a vector; no bits, as threads set neighbours
    std::uint64_t taken_ = 0;
    Live expected_;  ///< keys without a row yet
};

}  // namespace veer::index
