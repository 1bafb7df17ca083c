#include "index/checkpoint_writer.hpp"

#include "index/content_hash.hpp"
#include "index/graph_store.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <unordered_set>

namespace veer::index {

namespace {

using checkpoint::DeadVector;
using checkpoint::Manifest;
using checkpoint::SlotImage;
using checkpoint::SlotKind;

static_assert(checkpoint::chunk_slots == LinkLists::chunk_slots);

/// Links to slots below `slots`, of the layers of a node.
std::vector<std::vector<Slot>> links_of(const LinkLists& lists, Slot slot, std::size_t slots) {
    std::vector<std::vector<Slot>> all;
    for (int layer = 0; layer <= lists.level(slot); ++layer) {
        Links links;
        const std::size_t count = lists.at(slot, layer).read(links);
        std::vector<Slot>& kept = all.emplace_back();
        std::copy_if(
            links.begin(),
            links.begin() + static_cast<std::ptrdiff_t>(count),
            std::back_inserter(kept),
            [&](Slot link) { return link < slots; }
        );
    }
    return all;
}

/// Whether the chunk is longer by now, or leads to slots that the view has not.
bool lists_younger_slots(const CheckpointWriter::View& view, std::size_t first, std::size_t end) {
    const LinkLists& lists = view.segment->graph().store().links();
    const std::size_t size = view.segment->graph().size();
    if (size == view.slots) {
        return false;
    }
    if (end < std::min(first + checkpoint::chunk_slots, size)) {
        return true;
    }
    for (std::size_t slot = first; slot < end; ++slot) {
        for (int layer = 0; layer <= lists.level(static_cast<Slot>(slot)); ++layer) {
            Links links;
            const std::size_t count = lists.at(static_cast<Slot>(slot), layer).read(links);
            if (std::any_of(
                    links.begin(),
                    links.begin() + static_cast<std::ptrdiff_t>(count),
                    [&](Slot link) { return link >= view.slots; }
                )) {
                return true;
            }
        }
    }
    return false;
}

/// Whether its row comes or goes with a transaction that the view does not show, and so will be
/// something else by the next checkpoint. A view has slots of such transactions where a rebuild
/// has ended in the middle of one.
bool is_of_open_transaction(const CheckpointWriter::View& view, Slot slot) {
    const Versions& versions = view.segment->versions();
    const Sequence death = versions.death(slot);
    return versions.birth(slot) > view.published || (death != never && death > view.published);
}

/// A row of an open transaction is nobody's yet, as a dead one: its node is kept with its vector.
SlotImage image_of(const CheckpointWriter::View& view, Slot slot, Slot entry) {
    const Segment& segment = *view.segment;
    const LinkLists& lists = segment.graph().store().links();
    const bool lives = segment.versions().visible(slot, view.published);
    SlotImage image;
    image.links = links_of(lists, slot, view.slots);
    Links links;  // even if all of them are too young: others lead to it
    const bool is_node = lists.at(slot, 0).read(links) > 0 || slot == entry;
    if (!is_node) {
        image.links.clear();
    }
    if (!is_node && !lives) {
        return image;
    }
    image.kind = !is_node ? SlotKind::same : lives ? SlotKind::node : SlotKind::dead_node;
    image.hash = content_hash(segment.vector(slot));
    image.key = lives ? segment.keys().get(slot) : "";
    if (is_node) {
        const Slot parent = lists.parent(slot);
        image.parent = parent < view.slots ? parent : no_slot;
    }
    return image;
}

}  // namespace

storage::Result<CheckpointWriter::Written> CheckpointWriter::write(
    const View& view, const std::function<bool()>& stopping
) {
    const bool continued = manifest_ && segment_.lock() == view.segment;
    Manifest next;
    if (manifest_) {
        number_ = std::max(number_, manifest_->number);
    }
    if (continued) {
        next.chunks = manifest_->chunks;
    }
    next.options = options_;
    next.number = ++number_;
    next.position = view.position;
    next.slots = static_cast<std::uint32_t>(view.slots);
    next.chunks.resize(checkpoint::chunks_of(view.slots));
    const Slot entry = view.segment->graph().entry();
    next.entry = entry < view.slots ? entry : no_slot;
    if (const Sq8* const sq8 = view.segment->graph().store().sq8()) {
        next.centre = sq8->centre();
    } else {
        next.vectors_until = static_cast<std::uint32_t>(
            std::min<std::size_t>(view.vectors_until, std::numeric_limits<std::uint32_t>::max())
        );
    }
    Written written;
    if (auto chunks = write_chunks(view, next, written, stopping); !chunks.has_value()) {
        return chunks.error();
    }
    if (continued && written.chunks == 0 && manifest_->slots == next.slots &&
        manifest_->entry == next.entry && manifest_->centre == next.centre &&
        manifest_->vectors_until == next.vectors_until) {
        return written;
    }
    const std::string key = checkpoint::manifest_key(index_);
    const std::string bytes = checkpoint::encode(key, next);
    auto erased = replaced(next);
    auto committed = erased.has_value() ? store_.commit(key, bytes, *erased)
                                        : storage::Result<void>{erased.error()};
    if (!committed.has_value()) {
        manifest_.reset();  // which of the two is on disk is not known: all is written again
        return committed.error();
    }
    written.bytes += bytes.size();
    segment_ = view.segment;
    manifest_ = std::move(next);
    cleaned_ = true;
    return written;
}

storage::Result<void> CheckpointWriter::write_chunks(
    const View& view, Manifest& next, Written& written, const std::function<bool()>& stopping
) {
    for (std::size_t chunk = 0; chunk < next.chunks.size(); ++chunk) {
        auto put = stopping() ? storage::Result<void>{storage::Error{
                                    storage::Errc::disk, "The checkpoint was interrupted."}}
                              : write_chunk(view, chunk, next, written);
        if (!put.has_value()) {
            manifest_.reset();  // what was touched has been forgotten: all is written again
            return put;
        }
    }
    return {};
}

storage::Result<void> CheckpointWriter::write_chunk(
    const View& view, std::size_t chunk, Manifest& next, Written& written
) {
    Manifest::Chunk& named = next.chunks[chunk];
    const LinkLists& lists = view.segment->graph().store().links();
    const std::uint8_t touched = lists.take_touched(chunk);
    const std::size_t first = chunk * checkpoint::chunk_slots;
    const std::size_t end = std::min(first + checkpoint::chunk_slots, view.slots);
    if (touched == 0 && named.version != 0) {
        return {};
    }
    std::vector<SlotImage> images;
    std::vector<DeadVector> dead;
    bool is_open = false;
    for (std::size_t i = first; i < end; ++i) {
        const auto slot = static_cast<Slot>(i);
        images.push_back(image_of(view, slot, next.entry));
        if (images.back().kind == SlotKind::dead_node) {
            const auto vector = view.segment->vector(slot);
            dead.push_back({slot, {vector.begin(), vector.end()}});
        }
        is_open = is_open || is_of_open_transaction(view, slot);
    }
    if (is_open) {
        lists.touch(static_cast<Slot>(first), LinkLists::links_changed | LinkLists::rows_died);
    } else if (lists_younger_slots(view, first, end)) {
        lists.touch(static_cast<Slot>(first), LinkLists::links_changed);
    }
    const auto put = [&](const std::string& key, const std::string& bytes) {
        ++written.chunks;
        written.bytes += bytes.size();
        return store_.put(key, bytes);
    };
    const std::string key = checkpoint::chunk_key(index_, chunk, next.number);
    auto done = put(key, checkpoint::encode(key, images));
    named.version = next.number;
    const bool died = (touched & LinkLists::rows_died) != 0 || named.dead_version == 0 || is_open;
    if (done.has_value() && died) {
        named.dead_version = dead.empty() ? 0 : next.number;
        const std::string dead_key = checkpoint::dead_key(index_, chunk, next.number);
        if (!dead.empty()) {
            done = put(dead_key, checkpoint::encode(dead_key, dead));
        }
    }
    return done;
}

/// The keys that are not the next manifest's: of the last one, and at first all that there are.
storage::Result<std::vector<std::string>> CheckpointWriter::replaced(const Manifest& next) const {
    std::vector<std::string> candidates;
    const auto each = [&](const Manifest& manifest, auto visit) {
        for (std::size_t chunk = 0; chunk < manifest.chunks.size(); ++chunk) {
            const Manifest::Chunk& named = manifest.chunks[chunk];
            visit(checkpoint::chunk_key(index_, chunk, named.version));
            if (named.dead_version != 0) {
                visit(checkpoint::dead_key(index_, chunk, named.dead_version));
            }
        }
    };
    if (!cleaned_ || !manifest_) {
        auto found = store_.keys(checkpoint::key_prefix(index_));
        if (!found.has_value()) {
            return found;
        }
        candidates = std::move(*found);
    } else {
        each(*manifest_, [&](std::string key) { candidates.push_back(std::move(key)); });
    }
    std::unordered_set<std::string> kept{checkpoint::manifest_key(index_)};
    each(next, [&](std::string key) { kept.insert(std::move(key)); });
    std::erase_if(candidates, [&](const std::string& key) { return kept.contains(key); });
    return candidates;
}

}  // namespace veer::index
