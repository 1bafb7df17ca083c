#pragma once

#include "index/route_index.hpp"
#include "index/slot.hpp"
#include "storage/lsn.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The bytes of a checkpoint: a graph without its vectors, in chunks of slots. Format 1:
///
///     key    "g" sized(index) "m"                                  manifest
///            "g" sized(index) "c" be32(chunk) be64(version)        slots of one chunk
///            "g" sized(index) "d" be32(chunk) be64(version)        vectors of its dead nodes
///
///     value  be64 content_hash of the rest | be64 owner | body     owner: hash of the key
///
///     manifest   sized "veer graph 1" | options | be64 number | be64 position | be32 slots
///                be32 entry | u8 coded, 1: floats of the centre, 2: be32 vectors_until
///                be32 chunks, for each: be64 version | be64 version of the dead, 0 without
///     chunk      for each slot: u8 kind; where it is not void:
///                be64 hash of the vector | sized key
///                node: u8 level | be32 parent | for each layer: be16 count, be32 each link
///     dead       for each: be32 slot | floats
///
/// A value that a column of its own would need by slot (a filter's) needs no place here: like
/// vectors, such values come from the rows. What cannot be taken from a row gets a chunk of a new
/// letter and a new format.
///
/// Every decoder returns nothing where the bytes are not what its encoder wrote under that key.
namespace veer::index::checkpoint {

inline constexpr std::size_t chunk_slots = 256;

/// How many chunks hold so many slots.
std::size_t chunks_of(std::size_t slots);

struct Manifest {
    struct Chunk {
        std::uint64_t version = 0;
        std::uint64_t dead_version = 0;

        friend bool operator==(const Chunk&, const Chunk&) = default;
    };

    std::string options;       ///< of the index, as options_text()
    std::uint64_t number = 0;  ///< 1 for the first
    storage::Lsn position;     ///< every transaction up to it is in
    std::uint32_t slots = 0;
    Slot entry = no_slot;
    std::optional<std::vector<float>> centre;  ///< of Sq8, where there are codes
    std::uint32_t vectors_until =
        0;  ///< rows; codes of fewer have proved too coarse, without centre
    std::vector<Chunk> chunks;

    friend bool operator==(const Manifest&, const Manifest&) = default;
};

enum class SlotKind : std::uint8_t {
    empty = 0,      ///< nothing is known of it
    node = 1,       ///< of a row
    same = 2,       ///< of a row whose vector another node stands for
    dead_node = 3,  ///< of a row that has gone
};

struct SlotImage {
    SlotKind kind = SlotKind::empty;
    std::uint64_t hash = 0;  ///< content_hash of the vector
    std::string key;
    Slot parent = no_slot;
    std::vector<std::vector<Slot>> links;  ///< by layer, from the bottom; a node has one at least

    friend bool operator==(const SlotImage&, const SlotImage&) = default;
};

struct DeadVector {
    Slot slot = no_slot;
    std::vector<float> vector;

    friend bool operator==(const DeadVector&, const DeadVector&) = default;
};

/// What a graph is only valid under.
std::string options_text(const IndexOptions& options);

std::string key_prefix(std::string_view index);
std::string manifest_key(std::string_view index);
std::string chunk_key(std::string_view index, std::size_t chunk, std::uint64_t version);
std::string dead_key(std::string_view index, std::size_t chunk, std::uint64_t version);

/// Each is written and read under `key`, and only under it.
std::string encode(std::string_view key, const Manifest& manifest);
std::string encode(std::string_view key, std::span<const SlotImage> slots);
std::string encode(std::string_view key, std::span<const DeadVector> dead);

std::optional<Manifest> decode_manifest(std::string_view key, std::string_view bytes);
std::optional<std::vector<SlotImage>> decode_slots(std::string_view key, std::string_view bytes);
std::optional<std::vector<DeadVector>> decode_dead(
    std::string_view key, std::string_view bytes, std::uint32_t dimensions
);

}  // namespace veer::index::checkpoint
