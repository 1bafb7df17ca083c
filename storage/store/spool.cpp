#include "storage/store/spool.hpp"

#include "storage/byte_reader.hpp"
#include "storage/byte_writer.hpp"
#include "storage/store/encoding.hpp"

namespace veer::storage::store {

namespace {

constexpr std::uint8_t upsert_kind = 'u';
constexpr std::uint8_t delete_kind = 'd';
constexpr std::uint8_t truncate_kind = 't';

constexpr std::uint8_t vector_flag = 0;
constexpr std::uint8_t unchanged_vector_flag = 1;
constexpr std::uint8_t value_flag = 2;
constexpr std::uint8_t unchanged_value_flag = 3;

std::string encode(const Upsert& upsert) {
    ByteWriter out;
    out.u8(upsert_kind).u8(upsert.old_key.has_value() ? 1 : 0);
    out.sized(upsert.old_key.value_or("")).sized(upsert.row.key);
    for (const VectorValue& value : upsert.row.vectors) {
        const std::optional<std::string> bytes = encode_row({{}, {value}});
        out.u8(bytes.has_value() ? vector_flag : unchanged_vector_flag).sized(bytes.value_or(""));
    }
    for (const ColumnValue& value : upsert.row.values) {
        const std::optional<std::string> bytes = encode_row({{}, {}, {value}});
        out.u8(bytes.has_value() ? value_flag : unchanged_value_flag).sized(bytes.value_or(""));
    }
    return out.take();
}

std::optional<Upsert> decode_upsert(TableOid table, ByteReader& in) {
    Upsert upsert{table, std::nullopt, {}};
    const bool has_old = in.u8() != 0;
    const std::string_view old_key = in.bytes(in.be32());
    if (has_old) {
        upsert.old_key = RowKey{old_key};
    }
    upsert.row.key = in.bytes(in.be32());
    while (in.remaining() > 0 && !in.failed()) {
        const std::uint8_t flag = in.u8();
        std::optional<Row> one = decode_row({}, in.bytes(in.be32()));
        if (!one.has_value() || one->vectors.size() != (flag == vector_flag ? 1U : 0U) ||
            one->values.size() != (flag == value_flag ? 1U : 0U)) {
            return std::nullopt;
        }
        if (flag == vector_flag || flag == unchanged_vector_flag) {
            upsert.row.vectors.push_back(
                flag == vector_flag ? std::move(one->vectors.front()) : UnchangedVector{}
            );
        } else if (flag == value_flag || flag == unchanged_value_flag) {
            upsert.row.values.push_back(
                flag == value_flag ? std::move(one->values.front()) : UnchangedValue{}
            );
        } else {
            return std::nullopt;
        }
    }
    return in.failed() ? std::nullopt : std::optional{std::move(upsert)};
}

}  // namespace

std::string spool_prefix(TableOid table) {
    return ByteWriter{}.bytes("s").be32(table.value).take();
}

std::string spool_key(TableOid table, SpoolPlace place) {
    ByteWriter out;
    out.bytes(spool_prefix(table)).be64(place.commit_lsn.value).be32(place.place);
    return out.take();
}

std::optional<SpoolPlace> decode_spool_place(TableOid table, std::string_view key) {
    const std::string prefix = spool_prefix(table);
    if (!key.starts_with(prefix)) {
        return std::nullopt;
    }
    ByteReader in{key.substr(prefix.size())};
    const SpoolPlace place{{in.be64()}, in.be32()};
    return in.at_end() ? std::optional{place} : std::nullopt;
}

std::string encode_change(const Change& change) {
    if (const auto* const upsert = std::get_if<Upsert>(&change)) {
        return encode(*upsert);
    }
    if (const auto* const removed = std::get_if<Delete>(&change)) {
        return ByteWriter{}.u8(delete_kind).sized(removed->key).take();
    }
    return ByteWriter{}.u8(truncate_kind).take();
}

std::optional<Change> decode_change(TableOid table, std::string_view bytes) {
    ByteReader in{bytes};
    const std::uint8_t kind = in.u8();
    if (kind == upsert_kind) {
        std::optional<Upsert> upsert = decode_upsert(table, in);
        return upsert.has_value() ? std::optional<Change>{std::move(*upsert)} : std::nullopt;
    }
    std::optional<Change> change;
    if (kind == delete_kind) {
        change = Delete{table, RowKey{in.bytes(in.be32())}};
    } else if (kind == truncate_kind) {
        change = Truncate{{table}};
    }
    return in.at_end() ? change : std::nullopt;
}

}  // namespace veer::storage::store
