#include "router/partial_index.hpp"

#include "parser/recognise.hpp"
#include "router/column_value.hpp"
#include "router/filter_implication.hpp"
#include "router/rewrite.hpp"
#include "router/row_filter.hpp"
#include "storage/column_type.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace veer::router {

namespace {

/// As if all columns were copied. Of other types than those that can be, there is only NULL to
/// tell, as of floats.
storage::Table with_all_columns(const storage::Table& table) {
    constexpr std::uint32_t float8_oid = 701;
    storage::Table whole;
    whole.columns = table.columns;
    for (std::size_t position = 0; position < whole.columns.size(); ++position) {
        std::uint32_t& type = whole.columns[position].type_oid;
        type = storage::column_type(type) ? type : float8_oid;
        whole.copied.push_back(position);
    }
    return whole;
}

/// The length of (name) where (name)::text begins here, of a varchar; else 0.
std::size_t idle_cast(std::string_view rest, const storage::Table& table) {
    constexpr std::uint32_t varchar_oid = 1043;
    if (!rest.starts_with('(')) {
        return 0;
    }
    for (const storage::Column& column : table.columns) {
        for (const std::string& name : {column.name, quote_identifier(column.name)}) {
            const bool begins = rest.starts_with('(' + name + ")::text");
            if (begins && column.type_oid == varchar_oid) {
                return name.size() + 2;
            }
        }
    }
    return 0;
}

/// pg_get_expr() writes casts that say nothing: ((name)::text = 'a'::text) of a varchar.
std::string without_text_casts(std::string_view predicate, const storage::Table& table) {
    constexpr std::string_view cast = "::text";
    const auto casts_at = [&](std::size_t at) {
        const std::string_view rest = predicate.substr(std::min(at, predicate.size()));
        return rest.starts_with(cast) && !rest.substr(cast.size()).starts_with('[');
    };
    std::string plain;
    bool inside = false;
    for (std::size_t at = 0; at < predicate.size(); ++at) {
        const std::size_t name = inside ? 0 : idle_cast(predicate.substr(at), table);
        if (name > 0) {
            plain += predicate.substr(at, name);
            at += name + cast.size() - 1;
            continue;
        }
        plain += predicate[at];
        const bool quote = predicate[at] == '\'';
        at += inside && quote && casts_at(at + 1) ? cast.size() : 0;
        inside = quote ? !inside : inside;
    }
    return plain;
}

/// Exactly what the predicate says; nothing where veer cannot tell.
std::optional<index::Filter> read_predicate(
    std::string_view predicate, const storage::Table& table
) {
    const auto statement = parser::normalise(
        "SELECT 1 FROM t WHERE " + without_text_casts(predicate, table) +
        " ORDER BY e <-> $1 LIMIT 1"
    );
    const auto recognition = parser::recognise(statement.text);
    const auto* const query = std::get_if<parser::NearestNeighbourQuery>(&recognition);
    if (query == nullptr || !query->condition) {
        return std::nullopt;
    }
    RowFilter read = row_filter(
        *query->condition,
        with_all_columns(table),
        {.parameters = {}, .literals = statement.literals}
    );
    return read.whole ? std::move(read.filter) : std::nullopt;
}

}  // namespace

std::optional<index::Filter> said_of_rows(
    const parser::Condition& where, const storage::Table& table, const Values& values
) {
    return row_filter(where, with_all_columns(table), values).filter;
}

bool serves(const IndexedRows& rows, const index::Filter* told) {
    return rows.all || (told != nullptr &&
                        std::any_of(rows.parts.begin(), rows.parts.end(), [&](const auto& part) {
                            return implies(*told, part);
                        }));
}

/// Left out are predicates on columns under whose collation different texts are equal: what is said
/// of them is not what a comparison of bytes says. An index depends on each column of its
/// predicate.
std::string predicates_field(std::int16_t attnum, std::uint32_t operator_oid) {
    return ", (SELECT CASE WHEN pg_catalog.bool_or(i.indpred IS NULL) THEN ''"
           " ELSE pg_catalog.array_agg(pg_catalog.pg_get_expr(i.indpred, i.indrelid))"
           " FILTER (WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d"
           " JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) d.refobjid"
           " AND a.attnum OPERATOR(pg_catalog.=) d.refobjsubid JOIN pg_catalog.pg_collation l"
           " ON l.oid OPERATOR(pg_catalog.=) a.attcollation AND NOT l.collisdeterministic"
           " WHERE d.classid OPERATOR(pg_catalog.=) 1259"
           " AND d.objid OPERATOR(pg_catalog.=) i.indexrelid"
           " AND d.refclassid OPERATOR(pg_catalog.=) 1259"
           " AND d.refobjid OPERATOR(pg_catalog.=) c.oid))"
           "::pg_catalog.text END FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x"
           " ON x.oid OPERATOR(pg_catalog.=) i.indexrelid JOIN pg_catalog.pg_am h"
           " ON h.oid OPERATOR(pg_catalog.=) x.relam"
           " AND h.amname OPERATOR(pg_catalog.=) ANY ('{hnsw,ivfflat}'::pg_catalog.name[])"
           " JOIN pg_catalog.pg_opclass k ON k.oid OPERATOR(pg_catalog.=) i.indclass[0]"
           " JOIN pg_catalog.pg_amop m ON m.amopfamily OPERATOR(pg_catalog.=) k.opcfamily"
           " AND m.amopopr OPERATOR(pg_catalog.=) " +
           std::to_string(operator_oid) +
           " WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND i.indisvalid"
           " AND i.indnatts OPERATOR(pg_catalog.=) 1 AND i.indkey[0] OPERATOR(pg_catalog.=) " +
           std::to_string(attnum) + ")";
}

IndexedRows decode_predicates(
    const std::optional<std::string_view>& field, const storage::Table& table
) {
    if (field == "") {
        return {};
    }
    IndexedRows rows{.all = false};
    const auto predicates = field ? parse_values(storage::ColumnType::text, *field) : std::nullopt;
    if (!predicates) {
        return rows;
    }
    constexpr std::size_t read_max = 64;  // each is parsed; what further ones say is Postgres'
    for (const ComparedValue& predicate :
         std::span{*predicates}.first(std::min(predicates->size(), read_max))) {
        const auto* const text =
            predicate.value ? std::get_if<std::string>(&*predicate.value) : nullptr;
        auto part = text == nullptr ? std::nullopt : read_predicate(*text, table);
        if (part) {
            rows.parts.push_back(*std::move(part));
        }
    }
    return rows;
}

}  // namespace veer::router
