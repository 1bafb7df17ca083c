#include "index/checkpoint.hpp"

#include "index/content_hash.hpp"
#include "storage/byte_reader.hpp"
#include "storage/byte_writer.hpp"

#include <bit>

namespace veer::index::checkpoint {

namespace {

using storage::ByteReader;
using storage::ByteWriter;

constexpr std::string_view format = "veer graph 1";

/// What a manifest says of codes; 0: there are none so far.
constexpr std::uint8_t with_centre = 1;
constexpr std::uint8_t without_for_long = 2;
constexpr std::uint8_t level_max = 30;

std::string key_of(std::string_view index, std::string_view kind, std::size_t chunk) {
    return key_prefix(index).append(
        ByteWriter{}.bytes(kind).be32(static_cast<std::uint32_t>(chunk)).written()
    );
}

std::string sealed(std::string_view key, const std::string& body) {
    const std::string owned = ByteWriter{}.be64(content_hash(key)).bytes(body).take();
    return ByteWriter{}.be64(content_hash(owned)).bytes(owned).take();
}

/// The body of what sealed() has made; fails the reader of anything else.
ByteReader opened(std::string_view key, std::string_view bytes) {
    ByteReader in{bytes};
    const std::uint64_t sum = in.be64();
    if (in.failed() || sum != content_hash(bytes.substr(sizeof sum)) ||
        in.be64() != content_hash(key)) {
        in.fail();
    }
    return in;
}

void put_floats(ByteWriter& out, std::span<const float> floats) {
    for (const float x : floats) {
        out.be32(std::bit_cast<std::uint32_t>(x));
    }
}

std::vector<float> get_floats(ByteReader& in, std::size_t count) {
    std::vector<float> floats;
    if (in.remaining() / sizeof(float) < count) {
        in.fail();
        return floats;
    }
    floats.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        floats.push_back(std::bit_cast<float>(in.be32()));
    }
    return floats;
}

void put_slot(ByteWriter& out, const SlotImage& slot) {
    out.u8(static_cast<std::uint8_t>(slot.kind));
    if (slot.kind == SlotKind::empty) {
        return;
    }
    out.be64(slot.hash).sized(slot.key);
    if (slot.kind == SlotKind::same) {
        return;
    }
    out.u8(static_cast<std::uint8_t>(slot.links.size() - 1)).be32(slot.parent);
    for (const std::vector<Slot>& links : slot.links) {
        out.be16(static_cast<std::uint16_t>(links.size()));
        for (const Slot link : links) {
            out.be32(link);
        }
    }
}

SlotImage get_slot(ByteReader& in) {
    SlotImage slot;
    const std::uint8_t kind = in.u8();
    if (kind > static_cast<std::uint8_t>(SlotKind::dead_node)) {
        in.fail();
        return slot;
    }
    slot.kind = static_cast<SlotKind>(kind);
    if (slot.kind == SlotKind::empty) {
        return slot;
    }
    slot.hash = in.be64();
    slot.key = in.bytes(in.be32());
    if (slot.kind == SlotKind::same) {
        return slot;
    }
    const std::uint8_t level = in.u8();
    if (level > level_max) {
        in.fail();
        return slot;
    }
    slot.parent = in.be32();
    slot.links.resize(std::size_t{level} + 1);
    for (std::vector<Slot>& links : slot.links) {
        const std::size_t count = in.be16();
        links.reserve(count);
        for (std::size_t i = 0; i < count && !in.failed(); ++i) {
            links.push_back(in.be32());
        }
    }
    return slot;
}

}  // namespace

std::size_t chunks_of(std::size_t slots) {
    return (slots + chunk_slots - 1) / chunk_slots;
}

std::string options_text(const IndexOptions& options) {
    return ByteWriter{}
        .u8(static_cast<std::uint8_t>(options.metric))
        .be32(options.dimensions)
        .be32(options.m)
        .be32(options.ef_construction)
        .u8(static_cast<std::uint8_t>(options.quantization))
        .take();
}

std::string key_prefix(std::string_view index) {
    return ByteWriter{}.bytes("g").sized(index).take();
}

std::string manifest_key(std::string_view index) {
    return key_prefix(index).append("m");
}

std::string chunk_key(std::string_view index, std::size_t chunk, std::uint64_t version) {
    return key_of(index, "c", chunk).append(ByteWriter{}.be64(version).written());
}

std::string dead_key(std::string_view index, std::size_t chunk, std::uint64_t version) {
    return key_of(index, "d", chunk).append(ByteWriter{}.be64(version).written());
}

std::string encode(std::string_view key, const Manifest& manifest) {
    ByteWriter out;
    out.sized(format).sized(manifest.options).be64(manifest.number).be64(manifest.position.value);
    out.be32(manifest.slots).be32(manifest.entry);
    out.u8(manifest.centre ? with_centre : manifest.vectors_until > 0 ? without_for_long : 0);
    if (manifest.centre) {
        out.be32(static_cast<std::uint32_t>(manifest.centre->size()));
        put_floats(out, *manifest.centre);
    } else if (manifest.vectors_until > 0) {
        out.be32(manifest.vectors_until);
    }
    out.be32(static_cast<std::uint32_t>(manifest.chunks.size()));
    for (const Manifest::Chunk& chunk : manifest.chunks) {
        out.be64(chunk.version).be64(chunk.dead_version);
    }
    return sealed(key, out.written());
}

std::string encode(std::string_view key, std::span<const SlotImage> slots) {
    ByteWriter out;
    for (const SlotImage& slot : slots) {
        put_slot(out, slot);
    }
    return sealed(key, out.written());
}

std::string encode(std::string_view key, std::span<const DeadVector> dead) {
    ByteWriter out;
    for (const DeadVector& one : dead) {
        out.be32(one.slot);
        put_floats(out, one.vector);
    }
    return sealed(key, out.written());
}

std::optional<Manifest> decode_manifest(std::string_view key, std::string_view bytes) {
    ByteReader in = opened(key, bytes);
    Manifest manifest;
    if (in.bytes(in.be32()) != format) {
        return std::nullopt;
    }
    manifest.options = in.bytes(in.be32());
    manifest.number = in.be64();
    manifest.position.value = in.be64();
    manifest.slots = in.be32();
    manifest.entry = in.be32();
    const std::uint8_t coded = in.u8();
    if (coded == with_centre) {
        const std::uint32_t count = in.be32();
        manifest.centre = get_floats(in, count);
    } else if (coded == without_for_long) {
        manifest.vectors_until = in.be32();
    }
    for (std::uint32_t left = in.be32(); left > 0 && !in.failed(); --left) {
        const std::uint64_t version = in.be64();
        manifest.chunks.push_back({version, in.be64()});
    }
    return in.at_end() && manifest.chunks.size() == chunks_of(manifest.slots)
               ? std::optional{std::move(manifest)}
               : std::nullopt;
}

std::optional<std::vector<SlotImage>> decode_slots(std::string_view key, std::string_view bytes) {
    ByteReader in = opened(key, bytes);
    std::vector<SlotImage> slots;
    while (in.remaining() > 0 && !in.failed()) {
        slots.push_back(get_slot(in));
    }
    return in.at_end() ? std::optional{std::move(slots)} : std::nullopt;
}

std::optional<std::vector<DeadVector>> decode_dead(
    std::string_view key, std::string_view bytes, std::uint32_t dimensions
) {
    ByteReader in = opened(key, bytes);
    std::vector<DeadVector> dead;
    while (in.remaining() > 0 && !in.failed()) {
        const Slot slot = in.be32();
        dead.push_back({slot, get_floats(in, dimensions)});
    }
    return in.at_end() ? std::optional{std::move(dead)} : std::nullopt;
}

}  // namespace veer::index::checkpoint
