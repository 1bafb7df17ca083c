#include "storage/store/commit_record.hpp"

#include "storage/byte_reader.hpp"
#include "storage/byte_writer.hpp"
#include "storage/store/encoding.hpp"

namespace veer::storage::store {

std::string encode_commit(const CommitRecord& record) {
    ByteWriter out;
    out.be32(record.xid)
        .be64(record.commit_lsn.value)
        .be64(record.end_lsn.value)
        .sized(encode_history(record.history))
        .be32(record.count)
        .u8(record.joining.has_value() ? 1 : 0)
        .be32(record.joining.value_or(TableOid{}).value)
        .be32(static_cast<std::uint32_t>(record.left.size()));
    for (const auto& [table, before] : record.left) {
        out.be32(table.value).be32(before);
    }
    out.be32(static_cast<std::uint32_t>(record.aborted.size()));
    for (const std::uint32_t subxid : record.aborted) {
        out.be32(subxid);
    }
    return out.take();
}

std::optional<CommitRecord> decode_commit(std::string_view bytes) {
    ByteReader in{bytes};
    CommitRecord record;
    record.xid = in.be32();
    record.commit_lsn = {in.be64()};
    record.end_lsn = {in.be64()};
    const std::optional<History> history = decode_history(in.bytes(in.be32()));
    record.history = history.value_or(History{});
    record.count = in.be32();
    const bool joins = in.u8() != 0;
    const TableOid joining{in.be32()};
    if (joins) {
        record.joining = joining;
    }
    for (std::uint32_t left = in.be32(); left > 0 && !in.failed(); --left) {
        const TableOid table{in.be32()};
        record.left[table] = in.be32();
    }
    for (std::uint32_t left = in.be32(); left > 0 && !in.failed(); --left) {
        record.aborted.push_back(in.be32());
    }
    return in.at_end() && history.has_value() ? std::optional{std::move(record)} : std::nullopt;
}

std::string encode_place(std::uint32_t place) {
    return ByteWriter{}.be32(place).take();
}

std::optional<std::uint32_t> decode_place(std::string_view bytes) {
    ByteReader in{bytes};
    const std::uint32_t place = in.be32();
    return in.at_end() ? std::optional{place} : std::nullopt;
}

}  // namespace veer::storage::store
