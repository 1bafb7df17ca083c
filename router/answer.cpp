#include "router/answer.hpp"

#include "router/float_text.hpp"
#include "router/rewrite.hpp"
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

/// Position of a column of this name among the key columns; table.key.size() where it is none.
std::size_t key_position(const storage::Table& table, const std::string& name) {
    const auto found = std::find_if(table.key.begin(), table.key.end(), [&](std::size_t position) {
        return table.columns[position].name == name;
    });
    return static_cast<std::size_t>(found - table.key.begin());
}

/// Where one output's values come from.
struct Source {
    Kind kind = Kind::distance;
    std::size_t key = 0;
    const storage::Column* column = nullptr;
};

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

std::optional<std::string> value(
    const Source& source,
    std::int16_t format,
    const std::vector<std::string_view>& key,
    double distance
) {
    if (source.column != nullptr) {
        auto text = key_text(*source.column, key[source.key]);
        return text && format == 1 ? std::optional(std::string(key[source.key])) : text;
    }
    const double number = source.kind == Kind::similarity ? 1.0 - distance : distance;
    return format == 1 ? float8_binary(number) : float8_text(number);
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
    for (const parser::OutputColumn& output : query.outputs) {
        Source source{.kind = output.kind};
        if (output.kind == Kind::column) {
            source.key = key_position(table, output.column);
            if (source.key == table.key.size()) {
                return std::nullopt;
            }
            source.column = &table.columns[table.key[source.key]];
        }
        OutputField field = describe(output, source, table.oid.value);
        if (!formats.empty()) {
            field.format = formats.size() == 1 ? formats[0] : formats[sources.size()];
        }
        sources.push_back(source);
        answer.fields.push_back(std::move(field));
    }
    for (const index::Hit& hit : hits) {
        const std::vector<std::string_view> key = storage::key_columns(hit.key);
        if (key.size() != table.key.size()) {
            return std::nullopt;
        }
        std::vector<std::string>& row = answer.rows.emplace_back();
        for (std::size_t i = 0; i < sources.size(); ++i) {
            auto bytes = value(sources[i], answer.fields[i].format, key, hit.distance);
            if (!bytes) {
                return std::nullopt;
            }
            row.push_back(*std::move(bytes));
        }
    }
    return answer;
}

}  // namespace veer::router
