#include "router/answer.hpp"

#include "router/float_text.hpp"
#include "router/rewrite.hpp"
#include "router/row_filter.hpp"
#include "storage/key_text.hpp"
#include "storage/row.hpp"

#include <algorithm>
#include <bit>

namespace veer::router {

namespace {

using Kind = parser::OutputColumn::Kind;

constexpr std::uint32_t float8_oid = 701;

std::string float8_binary(double value) {
    auto bits = std::bit_cast<std::uint64_t>(value);
    std::string bytes(8, '\0');
    for (std::size_t i = 8; i-- > 0; bits >>= 8U) {
        bytes[i] = static_cast<char>(bits & 0xFFU);
    }
    return bytes;
}

constexpr std::uint32_t bool_oid = 16;

std::optional<std::size_t> key_position(const storage::Table& table, const std::string& name) {
    const auto found = std::find_if(table.key.begin(), table.key.end(), [&](std::size_t position) {
        return table.columns[position].name == name;
    });
    return found == table.key.end()
               ? std::nullopt
               : std::optional(static_cast<std::size_t>(found - table.key.begin()));
}

/// Where one output's values come from.
struct Source {
    Kind kind = Kind::distance;
    std::optional<std::size_t> key = std::nullopt;  ///< among the key columns
    std::size_t value = 0;                          ///< else, in Hit::values
    const storage::Column* column = nullptr;        ///< null: a distance
};

/// Nothing where the column is neither of the key nor copied.
std::optional<Source> source_of(
    const storage::Table& table, const parser::OutputColumn& output, std::size_t copied_before
) {
    Source source{.kind = output.kind};
    if (output.kind != Kind::column) {
        return source;
    }
    source.key = key_position(table, output.column);
    if (source.key) {
        source.column = &table.columns[table.key[*source.key]];
        return source;
    }
    const auto copied = copied_position(table, output.column);
    if (!copied) {
        return std::nullopt;
    }
    source.value = copied_before;
    source.column = &table.columns[table.copied[*copied]];
    return source;
}

OutputField describe(
    const parser::OutputColumn& output, const Source& source, std::uint32_t table_oid
) {
    OutputField field{.name = output.label};
    if (source.column == nullptr) {
        field.type_oid = float8_oid;
        field.type_length = 8;
        return field;
    }
    field.table_oid = table_oid;
    field.attnum = source.column->attnum;
    field.type_oid = source.column->type_oid;
    field.type_length = source.column->type_length;
    field.typmod = source.column->typmod;
    return field;
}

/// Postgres' text of a value in its binary form; nothing where it is not of the column's type.
std::optional<std::string> text_of(const storage::Column& column, std::string_view bytes) {
    if (column.type_oid == bool_oid && bytes.size() == 1) {
        return bytes.front() == 0 ? "f" : "t";
    }
    return has_plain_text(column) ? storage::key_text(column, bytes) : std::nullopt;
}

/// One field; false where it cannot be written.
bool write(
    const Source& source,
    std::int16_t format,
    const std::vector<std::string_view>& key,
    const index::Hit& hit,
    std::optional<std::string>& field
) {
    if (source.column == nullptr) {
        const double number = source.kind == Kind::similarity ? 1.0 - hit.distance : hit.distance;
        field = format == 1 ? float8_binary(number) : float8_text(number);
        return true;
    }
    std::optional<std::string_view> bytes;
    if (source.key) {
        bytes = key[*source.key];
    } else if (source.value < hit.values.size()) {
        bytes = hit.values[source.value];
    } else {
        return false;
    }
    if (!bytes) {
        field.reset();
        return true;
    }
    field = text_of(*source.column, *bytes);
    const bool readable = field.has_value();
    if (readable && format == 1) {
        field = std::string(*bytes);
    }
    return readable;
}

bool valid_formats(std::span<const std::int16_t> formats, std::size_t columns) {
    const bool count_fits = formats.size() <= 1 || formats.size() == columns;
    return count_fits && std::all_of(formats.begin(), formats.end(), [](std::int16_t format) {
               return format == 0 || format == 1;
           });
}

}  // namespace

std::optional<Answer> answer_from_hits(
    const parser::NearestNeighbourQuery& query,
    const Route& route,
    std::span<const index::Hit> hits,
    std::span<const std::int16_t> formats
) {
    const storage::Table& table = route.table();
    if (!valid_formats(formats, query.outputs.size())) {
        return std::nullopt;
    }
    Answer answer;
    std::vector<Source> sources;
    std::size_t copied = 0;
    for (const parser::OutputColumn& output : query.outputs) {
        const std::optional<Source> source = source_of(table, output, copied);
        if (!source) {
            return std::nullopt;
        }
        copied += source->column != nullptr && !source->key ? 1U : 0U;
        OutputField field = describe(output, *source, table.oid.value);
        if (!formats.empty()) {
            field.format = formats.size() == 1 ? formats[0] : formats[sources.size()];
        }
        sources.push_back(*source);
        answer.fields.push_back(std::move(field));
    }
    for (const index::Hit& hit : hits) {
        const std::vector<std::string_view> key = storage::key_columns(hit.key);
        if (key.size() != table.key.size()) {
            return std::nullopt;
        }
        auto& row = answer.rows.emplace_back(sources.size());
        for (std::size_t i = 0; i < sources.size(); ++i) {
            if (!write(sources[i], answer.fields[i].format, key, hit, row[i])) {
                return std::nullopt;
            }
        }
    }
    return answer;
}

std::vector<std::size_t> copied_outputs(
    const storage::Table& table, const parser::NearestNeighbourQuery& query
) {
    std::vector<std::size_t> positions;
    for (const parser::OutputColumn& output : query.outputs) {
        if (output.kind == Kind::column && !key_position(table, output.column)) {
            if (const auto position = copied_position(table, output.column)) {
                positions.push_back(*position);
            }
        }
    }
    return positions;
}

bool has_plain_text(const storage::Column& column) {
    switch (storage::column_type(column.type_oid).value_or(storage::ColumnType::float8)) {
        case storage::ColumnType::boolean:
        case storage::ColumnType::int2:
        case storage::ColumnType::int4:
        case storage::ColumnType::int8:
        case storage::ColumnType::uuid:
        case storage::ColumnType::text:
            return true;
        case storage::ColumnType::float4:
        case storage::ColumnType::float8:
        case storage::ColumnType::date:
        case storage::ColumnType::timestamp:
        case storage::ColumnType::timestamptz:
        case storage::ColumnType::int4_array:
        case storage::ColumnType::int8_array:
        case storage::ColumnType::text_array:
        case storage::ColumnType::jsonb:
            break;
    }
    return false;
}

}  // namespace veer::router
