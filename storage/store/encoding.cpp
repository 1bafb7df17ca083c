#include "storage/store/encoding.hpp"

#include "storage/byte_reader.hpp"
#include "storage/byte_writer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace veer::storage::store {

namespace {

static_assert(std::endian::native == std::endian::little, "float32 is stored as it lies in memory");

constexpr std::uint8_t null_flag = 0;
constexpr std::uint8_t floats_flag = 1;
constexpr std::uint8_t null_value_flag = 2;
constexpr std::uint8_t value_flag = 3;
constexpr std::uint8_t bits_flag = 4;
constexpr std::uint8_t sparse_flag = 5;
constexpr std::uint8_t unparsable_flag = 6;
constexpr std::uint8_t foreign_flag = 7;
constexpr std::uint8_t form_last = static_cast<std::uint8_t>(VectorForm::jsonb);
// Of an index; an older store has 0 or 1.
constexpr std::uint8_t declared_flag = 1;
constexpr std::uint8_t partial_flag = 2;
constexpr std::uint8_t kind_last = static_cast<std::uint8_t>(VectorKind::sparsevec);

void put_column(ByteWriter& out, const Column& column) {
    out.sized(column.name)
        .be16(static_cast<std::uint16_t>(column.attnum))
        .be32(column.type_oid)
        .be16(static_cast<std::uint16_t>(column.type_length))
        .be32(static_cast<std::uint32_t>(column.typmod))
        .u8(column.not_null ? 1 : 0)
        .u8(static_cast<std::uint8_t>(column.kind))
        .u8(static_cast<std::uint8_t>(column.form))
        .be32(static_cast<std::uint32_t>(column.declared_dimensions));
}

Column get_column(ByteReader& in) {
    Column column;
    column.name = in.bytes(in.be32());
    column.attnum = static_cast<std::int16_t>(in.be16());
    column.type_oid = in.be32();
    column.type_length = static_cast<std::int16_t>(in.be16());
    column.typmod = static_cast<std::int32_t>(in.be32());
    column.not_null = in.u8() != 0;
    const std::uint8_t kind = in.u8();
    const std::uint8_t form = in.u8();
    if (kind > kind_last || form > form_last) {
        in.fail();
    }
    column.kind = static_cast<VectorKind>(std::min(kind, kind_last));
    column.form = static_cast<VectorForm>(std::min(form, form_last));
    column.declared_dimensions = static_cast<std::int32_t>(in.be32());
    return column;
}

void put_index(ByteWriter& out, const AnnIndex& index) {
    out.sized(index.name)
        .sized(index.method)
        .be32(static_cast<std::uint32_t>(index.vector))
        .sized(index.operator_name)
        .be32(index.operator_oid)
        .be32(index.m)
        .be32(index.ef_construction)
        .u8(static_cast<std::uint8_t>(
            (index.declared ? declared_flag : 0) | (index.partial ? partial_flag : 0)
        ))
        .be32(index.type_oid)
        .u8(index.legacy.has_value() ? 1 : 0)
        .be32(static_cast<std::uint32_t>(index.legacy.value_or(0)));
}

AnnIndex get_index(ByteReader& in) {
    AnnIndex index;
    index.name = in.bytes(in.be32());
    index.method = in.bytes(in.be32());
    index.vector = in.be32();
    index.operator_name = in.bytes(in.be32());
    index.operator_oid = in.be32();
    index.m = in.be32();
    index.ef_construction = in.be32();
    const std::uint8_t flags = in.u8();
    index.declared = (flags & declared_flag) != 0;
    index.partial = (flags & partial_flag) != 0;
    index.type_oid = in.be32();
    const bool has_legacy = in.u8() != 0;
    const std::uint32_t legacy = in.be32();
    index.legacy = has_legacy ? std::optional<std::size_t>{legacy} : std::nullopt;
    return index;
}

void put_positions(ByteWriter& out, const std::vector<std::size_t>& positions) {
    out.be32(static_cast<std::uint32_t>(positions.size()));
    for (const std::size_t position : positions) {
        out.be32(static_cast<std::uint32_t>(position));
    }
}

/// Positions that do not lie below `limit` fail the reader.
std::vector<std::size_t> get_positions(ByteReader& in, std::size_t limit) {
    std::vector<std::size_t> positions;
    for (std::uint32_t left = in.be32(); left > 0 && !in.failed(); --left) {
        positions.push_back(in.be32());
        if (positions.back() >= limit) {
            in.fail();
        }
    }
    return positions;
}

void put_table(ByteWriter& out, const Table& table) {
    out.be32(table.oid.value).sized(table.schema).sized(table.name).sized(table.fingerprint);
    out.be64(std::bit_cast<std::uint64_t>(table.estimated_rows));
    out.be32(static_cast<std::uint32_t>(table.columns.size()));
    for (const Column& column : table.columns) {
        put_column(out, column);
    }
    put_positions(out, table.key);
    put_positions(out, table.vectors);
    put_positions(out, table.copied);
    out.sized(table.copied_fingerprint).be16(static_cast<std::uint16_t>(table.chosen_from));
    out.be32(static_cast<std::uint32_t>(table.indexes.size()));
    for (const AnnIndex& index : table.indexes) {
        put_index(out, index);
    }
}

Table get_table(ByteReader& in) {
    Table table;
    table.oid.value = in.be32();
    table.schema = in.bytes(in.be32());
    table.name = in.bytes(in.be32());
    table.fingerprint = in.bytes(in.be32());
    table.estimated_rows = std::bit_cast<double>(in.be64());
    for (std::uint32_t left = in.be32(); left > 0 && !in.failed(); --left) {
        table.columns.push_back(get_column(in));
    }
    table.key = get_positions(in, table.columns.size());
    table.vectors = get_positions(in, table.columns.size());
    table.copied = get_positions(in, table.columns.size());
    table.copied_fingerprint = in.bytes(in.be32());
    table.chosen_from = static_cast<std::int16_t>(in.be16());
    for (std::uint32_t left = in.be32(); left > 0 && !in.failed(); --left) {
        table.indexes.push_back(get_index(in));
        const AnnIndex& index = table.indexes.back();
        if (std::max(index.vector, index.legacy.value_or(0)) >= table.vectors.size()) {
            in.fail();
        }
    }
    return table;
}

/// As the items lie in memory.
template <class T>
void put_items(ByteWriter& out, const std::vector<T>& items) {
    if (!items.empty()) {
        out.bytes({reinterpret_cast<const char*>(items.data()), items.size() * sizeof(T)});
    }
}

/// As many items as fit; fails the reader where there are not `count`.
template <class T>
std::vector<T> get_items(ByteReader& in, std::size_t count) {
    const std::string_view raw = in.bytes(count * sizeof(T));
    std::vector<T> items(raw.size() / sizeof(T));
    if (!items.empty()) {
        std::memcpy(items.data(), raw.data(), raw.size());
    }
    return items;
}

void put_vector(ByteWriter& out, const Vector& vector) {
    const auto size = [](const auto& items) {
        return static_cast<std::uint32_t>(items.size());
    };
    if (const auto* const floats = std::get_if<std::vector<float>>(&vector)) {
        out.u8(floats_flag).be32(size(*floats));
        put_items(out, *floats);
    } else if (const auto* const bits = std::get_if<BitVector>(&vector)) {
        out.u8(bits_flag).be32(bits->length);
        put_items(out, bits->words);
    } else if (const auto* const sparse = std::get_if<SparseVector>(&vector)) {
        out.u8(sparse_flag).be32(sparse->dimensions).be32(size(sparse->indices));
        put_items(out, sparse->indices);
        put_items(out, sparse->values);
    }
}

ForeignVector get_foreign(ByteReader& in, std::uint8_t flag) {
    ForeignVector foreign{std::nullopt, std::string{in.bytes(in.be32())}};
    if (flag == foreign_flag && in.u8() == floats_flag) {
        foreign.vector = get_items<float>(in, in.be32());
    } else if (flag == foreign_flag) {
        in.fail();
    }
    return foreign;
}

VectorValue get_vector(ByteReader& in, std::uint8_t flag) {
    if (flag == null_flag) {
        return NullVector{};
    }
    if (flag == unparsable_flag || flag == foreign_flag) {
        return get_foreign(in, flag);
    }
    const std::uint32_t size = in.be32();
    switch (flag) {
        case floats_flag:
            return Vector{get_items<float>(in, size)};
        case bits_flag:
            return Vector{BitVector{size, get_items<std::uint64_t>(in, bit_words(size))}};
        case sparse_flag: {
            const std::uint32_t count = in.be32();
            SparseVector sparse{size, get_items<std::uint32_t>(in, count), {}};
            sparse.values = get_items<float>(in, count);
            return Vector{std::move(sparse)};
        }
        default:
            in.fail();
            return NullVector{};
    }
}

}  // namespace

std::string meta_key(std::string_view name) {
    return std::string{"m"}.append(name);
}

std::string row_prefix(TableOid table) {
    return ByteWriter{}.bytes("r").be32(table.value).take();
}

std::string row_key(TableOid table, std::string_view key) {
    return row_prefix(table).append(key);
}

std::string after_prefix(std::string prefix) {
    while (static_cast<unsigned char>(prefix.back()) == 0xFF) {
        prefix.pop_back();
    }
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

std::size_t stored_bytes(const Row& row) {
    constexpr std::size_t of_each_value = 9;
    std::size_t bytes = row.key.size() + 5;
    for (const VectorValue& value : row.vectors) {
        const Vector* const vector = vector_in(value);
        bytes += of_each_value + (vector == nullptr ? 0 : bytes_of(*vector));
    }
    for (const ColumnValue& value : row.values) {
        const auto* const text = std::get_if<std::string>(&value);
        bytes += of_each_value + (text == nullptr ? 0 : text->size());
    }
    return bytes;
}

std::optional<std::string> encode_row(const Row& row) {
    ByteWriter out;
    out.reserve(stored_bytes(row));
    for (const VectorValue& value : row.vectors) {
        if (std::holds_alternative<UnchangedVector>(value)) {
            return std::nullopt;
        }
        if (const auto* const foreign = std::get_if<ForeignVector>(&value)) {
            out.u8(foreign->vector.has_value() ? foreign_flag : unparsable_flag)
                .sized(foreign->digest);
        }
        if (const Vector* const vector = vector_in(value)) {
            put_vector(out, *vector);
        } else if (std::holds_alternative<NullVector>(value)) {
            out.u8(null_flag);
        }
    }
    for (const ColumnValue& value : row.values) {
        if (std::holds_alternative<UnchangedValue>(value)) {
            return std::nullopt;
        }
        if (const auto* const bytes = std::get_if<std::string>(&value)) {
            out.u8(value_flag).sized(*bytes);
        } else {
            out.u8(null_value_flag);
        }
    }
    return out.take();
}

std::optional<Row> decode_row(RowKey key, std::string_view bytes) {
    Row row{std::move(key), {}, {}};
    ByteReader in{bytes};
    while (in.remaining() > 0) {
        const std::uint8_t flag = in.u8();
        if (flag == null_value_flag) {
            row.values.emplace_back(NullValue{});
        } else if (flag == value_flag) {
            row.values.emplace_back(std::string{in.bytes(in.be32())});
        } else if (row.values.empty()) {
            row.vectors.push_back(get_vector(in, flag));
        } else {
            in.fail();
        }
    }
    return in.failed() ? std::nullopt : std::optional{std::move(row)};
}

std::string encode_state(const SyncState& state) {
    ByteWriter out;
    out.sized(state.system_id).sized(state.database).sized(state.slot).sized(state.publication);
    out.sized(state.publication_fingerprint).u8(static_cast<std::uint8_t>(state.phase));
    out.be32(static_cast<std::uint32_t>(state.tables.size()));
    for (const Table& table : state.tables) {
        put_table(out, table);
    }
    return out.take();
}

std::optional<SyncState> decode_state(std::string_view bytes) {
    ByteReader in{bytes};
    SyncState state;
    state.system_id = in.bytes(in.be32());
    state.database = in.bytes(in.be32());
    state.slot = in.bytes(in.be32());
    state.publication = in.bytes(in.be32());
    state.publication_fingerprint = in.bytes(in.be32());
    const std::uint8_t phase = in.u8();
    for (std::uint32_t left = in.be32(); left > 0 && !in.failed(); --left) {
        state.tables.push_back(get_table(in));
    }
    const bool known = phase == static_cast<std::uint8_t>(CopyPhase::copying) ||
                       phase == static_cast<std::uint8_t>(CopyPhase::streaming);
    if (!known || !in.at_end()) {
        return std::nullopt;
    }
    state.phase = static_cast<CopyPhase>(phase);
    return state;
}

std::string encode_history(const History& history) {
    ByteWriter out;
    out.be32(history.timeline).be64(history.landmark.commit_lsn.value);
    out.be64(static_cast<std::uint64_t>(history.landmark.timestamp)).be32(history.landmark.xid);
    return out.be64(history.confirmed.value).take();
}

std::optional<History> decode_history(std::string_view bytes) {
    ByteReader in{bytes};
    History history;
    history.timeline = in.be32();
    history.landmark.commit_lsn.value = in.be64();
    history.landmark.timestamp = static_cast<std::int64_t>(in.be64());
    history.landmark.xid = in.be32();
    history.confirmed.value = in.be64();
    return in.at_end() ? std::optional{history} : std::nullopt;
}

std::string encode_lsn(Lsn lsn) {
    return ByteWriter{}.be64(lsn.value).take();
}

std::optional<Lsn> decode_lsn(std::string_view bytes) {
    ByteReader in{bytes};
    const Lsn lsn{in.be64()};
    return in.at_end() ? std::optional{lsn} : std::nullopt;
}

}  // namespace veer::storage::store
