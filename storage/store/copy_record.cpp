#include "storage/store/copy_record.hpp"

#include "storage/byte_reader.hpp"
#include "storage/byte_writer.hpp"
#include "storage/store/encoding.hpp"

namespace veer::storage::store {

std::string encode_copy(const CopyRecord& record) {
    SyncState state;  // of this table alone
    state.tables = {record.table};
    state.publication_fingerprint = record.publication_fingerprint;
    ByteWriter out;
    out.sized(encode_state(state))
        .be64(record.first.value)
        .be64(record.last.value)
        .be64(record.rows)
        .be64(record.bytes)
        .be32(static_cast<std::uint32_t>(record.done.size()));
    for (const PageRange& range : record.done) {
        out.be32(range.first).be32(range.end);
    }
    return out.take();
}

std::optional<CopyRecord> decode_copy(std::string_view bytes) {
    ByteReader in{bytes};
    std::optional<SyncState> state = decode_state(in.bytes(in.be32()));
    if (!state.has_value() || state->tables.size() != 1) {
        return std::nullopt;
    }
    CopyRecord record;
    record.table = std::move(state->tables.front());
    record.publication_fingerprint = std::move(state->publication_fingerprint);
    record.first = {in.be64()};
    record.last = {in.be64()};
    record.rows = in.be64();
    record.bytes = in.be64();
    for (std::uint32_t left = in.be32(); left > 0 && !in.failed(); --left) {
        const std::uint32_t first = in.be32();
        record.done.push_back({first, in.be32()});
    }
    return in.at_end() ? std::optional{std::move(record)} : std::nullopt;
}

}  // namespace veer::storage::store
