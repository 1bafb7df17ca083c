#include "storage/source/row_mapper.hpp"

#include <algorithm>

namespace veer::storage::source {

namespace {

Error changed(std::string_view table, std::string_view what) {
    return {Errc::gone, std::string{"Table "}.append(table).append(": ").append(what).append(".")};
}

/// Returns the position of `wanted` in the relation, or nothing where it is missing or of another
/// type.
std::optional<std::size_t> find_column(const pgoutput::Relation& relation, const Column& wanted) {
    const auto found =
        std::find_if(relation.columns.begin(), relation.columns.end(), [&](const auto& column) {
            return column.name == wanted.name;
        });
    if (found == relation.columns.end() || found->type_oid != wanted.type_oid ||
        found->typmod != wanted.typmod) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - relation.columns.begin());
}

/// A value of the column, which has these dimensions. Nothing where it cannot be one; what is only
/// declared to be a vector always can.
std::optional<VectorValue> decode(
    VectorKind kind, VectorForm form, std::int32_t dimensions, std::string_view bytes
) {
    if (form != VectorForm::native) {
        return ForeignVector{read_foreign_vector(form, dimensions, bytes), foreign_digest(bytes)};
    }
    std::optional<Vector> vector = decode_vector(kind, bytes);
    const bool fits =
        vector.has_value() && static_cast<std::int64_t>(dimensions_of(*vector)) == dimensions;
    return fits ? std::optional<VectorValue>{std::move(*vector)} : std::nullopt;
}

/// Whether bytes in the binary send format can be a value of the type.
bool fits(std::string_view bytes, ColumnType type) {
    const std::size_t length = send_bytes(type);
    return length == 0 || bytes.size() == length;
}

}  // namespace

Result<RowMapper> RowMapper::make(const Table& table, const pgoutput::Relation& relation) {
    RowMapper mapper;
    mapper.name_ = table.schema + "." + table.name;
    mapper.column_count_ = relation.columns.size();
    for (const std::size_t position : table.key) {
        const Column& column = table.columns[position];
        const std::optional<std::size_t> found = find_column(relation, column);
        if (!found.has_value() || !relation.columns[*found].key) {
            return changed(mapper.name_, "the key column " + column.name + " is not what it was");
        }
        mapper.keys_.push_back(*found);
    }
    const auto keys =
        std::count_if(relation.columns.begin(), relation.columns.end(), [](const auto& column) {
            return column.key;
        });
    if (relation.replica_identity != 'f' && static_cast<std::size_t>(keys) != table.key.size()) {
        return changed(mapper.name_, "the replica identity has other columns than it had");
    }
    for (const std::size_t position : table.vectors) {
        const Column& column = table.columns[position];
        const std::optional<std::size_t> found = find_column(relation, column);
        if (!found.has_value()) {
            return changed(
                mapper.name_, "the vector column " + column.name + " is not what it was"
            );
        }
        mapper.vectors_.push_back({*found, column.kind, column.form, column.dimensions()});
    }
    for (const std::size_t position : table.copied) {
        const Column& column = table.columns[position];
        const std::optional<std::size_t> found = find_column(relation, column);
        const std::optional<ColumnType> type = column_type(column.type_oid);
        if (!found.has_value() || !type.has_value()) {
            return changed(mapper.name_, "the column " + column.name + " is not what it was");
        }
        mapper.values_.push_back({*found, *type});
    }
    return mapper;
}

Result<RowKey> RowMapper::key(const pgoutput::TupleData& tuple) const {
    return key_of(tuple, nullptr);
}

Result<RowKey> RowMapper::key_of(const pgoutput::TupleData& tuple, const pgoutput::TupleData* old)
    const {
    RowKey key;
    if (tuple.size() != column_count_ || (old != nullptr && old->size() != column_count_)) {
        return Error{Errc::unexpected, "Table " + name_ + ": a row has another number of columns."};
    }
    for (const std::size_t position : keys_) {
        const bool in_old =
            old != nullptr && tuple[position].kind == pgoutput::Field::Kind::unchanged_toast;
        const pgoutput::Field& field = in_old ? (*old)[position] : tuple[position];
        if (field.kind != pgoutput::Field::Kind::binary) {
            return Error{Errc::unexpected, "Table " + name_ + ": a key did not come in binary."};
        }
        append_key_column(key, field.bytes);
    }
    return key;
}

Result<Row> RowMapper::row(const pgoutput::TupleData& tuple, const pgoutput::TupleData* old) const {
    auto key = key_of(tuple, old);
    if (!key.has_value()) {
        return key.error();
    }
    Row row{std::move(*key), {}, {}};
    for (const VectorColumn& column : vectors_) {
        const pgoutput::Field& field = tuple[column.position];
        if (field.kind == pgoutput::Field::Kind::null) {
            row.vectors.emplace_back(NullVector{});
        } else if (field.kind == pgoutput::Field::Kind::unchanged_toast) {
            row.vectors.emplace_back(UnchangedVector{});
        } else {
            std::optional<VectorValue> vector =
                decode(column.kind, column.form, column.dimensions, field.bytes);
            if (!vector.has_value() || field.kind != pgoutput::Field::Kind::binary) {
                return changed(name_, "a vector is not of the type that the column had");
            }
            row.vectors.push_back(std::move(*vector));
        }
    }
    for (const ValueColumn& column : values_) {
        // A key column that is unchanged is in the old row, which came because of that.
        const bool in_old = old != nullptr &&
                            tuple[column.position].kind == pgoutput::Field::Kind::unchanged_toast &&
                            std::find(keys_.begin(), keys_.end(), column.position) != keys_.end();
        auto mapped = value(in_old ? (*old)[column.position] : tuple[column.position], column.type);
        if (!mapped.has_value()) {
            return mapped.error();
        }
        row.values.push_back(std::move(*mapped));
    }
    return row;
}

Result<ColumnValue> RowMapper::value(const pgoutput::Field& field, ColumnType type) const {
    switch (field.kind) {
        case pgoutput::Field::Kind::null:
            return ColumnValue{NullValue{}};
        case pgoutput::Field::Kind::unchanged_toast:
            return ColumnValue{UnchangedValue{}};
        case pgoutput::Field::Kind::binary:
            if (fits(field.bytes, type)) {
                return ColumnValue{std::string{field.bytes}};
            }
            break;
        case pgoutput::Field::Kind::text:
            break;
    }
    return changed(name_, "a value is not of the type that its column had");
}

Result<Row> row_of_copy(const Table& table, const BinaryCopyDecoder::Fields& fields) {
    const std::string name = table.schema + "." + table.name;
    if (fields.size() != table.key.size() + table.vectors.size() + table.copied.size()) {
        return Error{Errc::unexpected, "Table " + name + ": a row has another number of columns."};
    }
    Row row;
    auto field = fields.begin();
    for (std::size_t column = 0; column < table.key.size(); ++column, ++field) {
        if (!field->has_value()) {
            return Error{Errc::unexpected, "Table " + name + ": a key column is NULL."};
        }
        append_key_column(row.key, **field);
    }
    for (const std::size_t position : table.vectors) {
        const std::optional<std::string_view> bytes = *field++;
        if (!bytes.has_value()) {
            row.vectors.emplace_back(NullVector{});
            continue;
        }
        const Column& column = table.columns[position];
        std::optional<VectorValue> vector =
            decode(column.kind, column.form, column.dimensions(), *bytes);
        if (!vector.has_value()) {
            return changed(name, "a vector is not of the column's type");
        }
        row.vectors.push_back(std::move(*vector));
    }
    for (const std::size_t position : table.copied) {
        const std::optional<std::string_view> bytes = *field++;
        if (!bytes.has_value()) {
            row.values.emplace_back(NullValue{});
            continue;
        }
        const std::optional<ColumnType> type = column_type(table.columns[position].type_oid);
        if (!type.has_value() || !fits(*bytes, *type)) {
            return changed(name, "a value is not of its column's type");
        }
        row.values.emplace_back(std::string{*bytes});
    }
    return row;
}

}  // namespace veer::storage::source
