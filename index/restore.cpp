#include "index/restore.hpp"

#include "index/content_hash.hpp"
#include "index/graph_store.hpp"

#include <algorithm>
#include <exception>

namespace veer::index {

namespace {

using checkpoint::Manifest;
using checkpoint::SlotImage;
using checkpoint::SlotKind;

/// Past one lost node in so many, linking all anew makes the better graph.
constexpr std::size_t lost_share_max = 5;

storage::Error useless(const std::string& why) {
    return {storage::Errc::unexpected, why};
}

}  // namespace

storage::Result<std::unique_ptr<Restore>> Restore::begin(
    const storage::ChunkStore& store,
    const std::string& index,
    const IndexOptions& options,
    const Space& space,
    const GraphOptions& graph,
    const Room& room
) {
    try {
        const std::string key = checkpoint::manifest_key(index);
        const auto bytes = store.read(key);
        if (!bytes.has_value()) {
            return bytes.error();
        }
        if (!bytes->has_value()) {
            return std::unique_ptr<Restore>{};
        }
        auto manifest = checkpoint::decode_manifest(key, **bytes);
        if (!manifest) {
            return useless("Its manifest is damaged or of another version of veer.");
        }
        if (manifest->options != checkpoint::options_text(options)) {
            return useless("It is of an index with other options.");
        }
        std::unique_ptr<Restore> restore{new Restore{std::move(*manifest), space.dimensions()}};
        const std::size_t slots = restore->manifest_.slots;
        GraphOptions wanted = graph;
        wanted.walk_vectors = restore->proved_codes_coarse(graph.quantization);
        auto segment = Segment::create(space, wanted, slots + slots / 4 + 1024, room);
        if (!segment || !(*segment)->make_room(std::max<std::size_t>(slots, 1))) {
            return useless("There is no memory for it.");
        }
        restore->segment_ = std::move(*segment);
        const auto& centre = restore->manifest_.centre;
        if (centre && (centre->size() != space.dimensions() ||
                       !restore->segment_->restored_store().use_codes(*centre))) {
            return useless("Its codes cannot be used.");
        }
        for (std::size_t chunk = 0; chunk < restore->manifest_.chunks.size(); ++chunk) {
            if (!restore->read_chunk(store, index, chunk) ||
                !restore->read_dead(store, index, chunk)) {
                return useless("Its chunk " + std::to_string(chunk) + " is damaged or missing.");
            }
        }
        if (restore->kinds_.size() != slots || !restore->links_are_valid()) {
            return useless("Its chunks do not fit together.");
        }
        return restore;
    } catch (const std::exception& error) {
        return useless(error.what());
    }
}

bool Restore::proved_codes_coarse(Quantization quantization) const {
    return quantization == Quantization::automatic && !manifest_.centre &&
           manifest_.slots < manifest_.vectors_until;
}

bool Restore::read_chunk(
    const storage::ChunkStore& store, const std::string& index, std::size_t chunk
) {
    const std::string key = checkpoint::chunk_key(index, chunk, manifest_.chunks[chunk].version);
    const auto bytes = store.read(key);
    if (!bytes.has_value() || !bytes->has_value()) {
        return false;
    }
    const auto images = checkpoint::decode_slots(key, **bytes);
    const std::size_t first = chunk * checkpoint::chunk_slots;
    const std::size_t due = std::min<std::size_t>(checkpoint::chunk_slots, manifest_.slots - first);
    // One that was written when there were more slots leads past the end, and no manifest names it.
    return images && images->size() == due &&
           std::all_of(images->begin(), images->end(), [&](const SlotImage& image) {
               return add(image);
           });
}

bool Restore::add(const SlotImage& image) {
    const int level = image.links.empty() ? 0 : static_cast<int>(image.links.size()) - 1;
    const auto slot = segment_->add_empty(image.key, level);
    if (!slot) {
        return false;
    }
    LinkLists& lists = segment_->restored_store().links();
    for (std::size_t layer = 0; layer < image.links.size(); ++layer) {
        LinkList list = lists.at(*slot, static_cast<int>(layer));
        if (image.links[layer].size() > list.room()) {
            return false;
        }
        list.write(image.links[layer], 0);  // to be judged when it overflows
    }
    lists.set_parent(*slot, image.parent);
    kinds_.push_back(image.kind);
    hashes_.push_back(image.hash);
    filled_.push_back(0);
    const bool lives = image.kind == SlotKind::node || image.kind == SlotKind::same;
    return !lives || expected_.emplace(segment_->keys().get(*slot), *slot).second;
}

bool Restore::read_dead(
    const storage::ChunkStore& store, const std::string& index, std::size_t chunk
) {
    const std::uint64_t version = manifest_.chunks[chunk].dead_version;
    if (version == 0) {
        return true;
    }
    const std::string key = checkpoint::dead_key(index, chunk, version);
    const auto bytes = store.read(key);
    if (!bytes.has_value() || !bytes->has_value()) {
        return false;
    }
    const auto dead = checkpoint::decode_dead(key, **bytes, dimensions_);
    if (!dead) {
        return false;
    }
    for (const checkpoint::DeadVector& one : *dead) {
        if (one.slot >= kinds_.size()) {
            return false;
        }
        if (kinds_[one.slot] == SlotKind::dead_node) {
            segment_->restored_store().set_vector(one.slot, one.vector);
            filled_[one.slot] = 1;
        }
    }
    return true;
}

bool Restore::links_are_valid() const {
    const LinkLists& lists = segment_->graph().store().links();
    const std::size_t slots = kinds_.size();
    const auto leads_to_node = [&](Slot link, int layer) {
        return link < slots && is_node(link) && lists.level(link) >= layer;
    };
    for (Slot slot = 0; slot < slots; ++slot) {
        const Slot parent = lists.parent(slot);
        if (parent != no_slot && parent >= slots) {
            return false;
        }
        for (int layer = 0; layer <= lists.level(slot); ++layer) {
            Links links;
            const std::size_t count = lists.at(slot, layer).read(links);
            const auto end = links.begin() + static_cast<std::ptrdiff_t>(count);
            if (!std::all_of(links.begin(), end, [&](Slot link) {
                    return leads_to_node(link, layer);
                })) {
                return false;
            }
        }
    }
    return manifest_.entry == no_slot || (manifest_.entry < slots && is_node(manifest_.entry));
}

Restore::Claim Restore::claim(std::string_view key) {
    const auto row = expected_.find(key);
    return row == expected_.end() ? Claim{} : expected_.extract(row);
}

bool Restore::fill(Slot slot, std::span<const float> vector) {
    if (vector.size() != dimensions_ || content_hash(vector) != hashes_[slot] ||
        !segment_->restored_store().set_vector(slot, vector)) {
        return false;
    }
    filled_[slot] = 1;
    return true;
}

void Restore::take(Claim claim, Live& live) {
    const Slot slot = claim.mapped();
    live.insert(std::move(claim));  // may throw: then it stays nobody's
    segment_->versions().set_death(slot, never);
    ++taken_;
}

/// The highest node that has a vector.
Slot Restore::entry_among(const std::vector<bool>& lost) const {
    if (manifest_.entry != no_slot && !lost[manifest_.entry]) {
        return manifest_.entry;
    }
    const LinkLists& lists = segment_->graph().store().links();
    Slot entry = no_slot;
    for (Slot slot = 0; slot < lost.size(); ++slot) {
        if (is_node(slot) && !lost[slot] &&
            (entry == no_slot || lists.level(slot) > lists.level(entry))) {
            entry = slot;
        }
    }
    return entry;
}

Restore::Finished Restore::finish(std::vector<Slot>& unlinked) {
    expected_.clear();
    std::vector<bool> lost(kinds_.size());
    std::size_t nodes = 0;
    Finished finished{.taken = taken_};
    for (Slot slot = 0; slot < lost.size(); ++slot) {
        nodes += is_node(slot) ? 1U : 0U;
        lost[slot] = is_node(slot) && filled_[slot] == 0;
        finished.lost += lost[slot] ? 1U : 0U;
    }
    if (finished.lost * lost_share_max > nodes) {
        lost.assign(lost.size(), true);
    }
    const Slot entry = entry_among(lost);
    finished.in_memory = segment_->finish_restored(entry, lost).has_value();
    const LinkLists& lists = segment_->graph().store().links();
    Links links;
    for (Slot slot = 0; slot < lost.size(); ++slot) {
        const bool linked =
            is_node(slot) && !lost[slot] && (slot == entry || lists.at(slot, 0).read(links) > 0);
        if (linked) {
            segment_->take_for_node(hashes_[slot], slot);
            kinds_[slot] = SlotKind::empty;  // nothing is left to do
        }
    }
    for (Slot slot = 0; slot < lost.size(); ++slot) {
        if (filled_[slot] == 0 || kinds_[slot] == SlotKind::empty ||
            kinds_[slot] == SlotKind::dead_node) {
            continue;
        }
        const Slot node = segment_->node_of(hashes_[slot], segment_->vector(slot));
        if (node != no_slot) {
            segment_->versions().chain(node, slot);
        } else {
            segment_->take_for_node(hashes_[slot], slot);
            unlinked.push_back(slot);
        }
    }
    return finished;
}

}  // namespace veer::index
