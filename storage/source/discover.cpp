#include "storage/source/discover.hpp"

#include "storage/column_type.hpp"
#include "storage/key_text.hpp"
#include "storage/source/declared.hpp"

#include <algorithm>
#include <array>

namespace veer::storage::source {

namespace {

/// pgvector's operator classes whose distances veer computes.
constexpr std::array<std::string_view, 14> operator_classes{
    "vector_l2_ops",
    "vector_cosine_ops",
    "vector_ip_ops",
    "vector_l1_ops",
    "halfvec_l2_ops",
    "halfvec_cosine_ops",
    "halfvec_ip_ops",
    "halfvec_l1_ops",
    "sparsevec_l2_ops",
    "sparsevec_cosine_ops",
    "sparsevec_ip_ops",
    "sparsevec_l1_ops",
    "bit_hamming_ops",
    "bit_jaccard_ops"};

std::string qualified(const TableFacts& table) {
    return table.schema + "." + table.name;
}

/// Returns why the stream does not tell of every change of a partition as of the root's, or
/// nothing.
std::optional<std::string> refuse_partitions(const TableFacts& table) {
    if (table.replica_identity == 'i') {
        return "it is partitioned and has REPLICA IDENTITY USING INDEX; run: ALTER TABLE " +
               qualified(table) + " REPLICA IDENTITY DEFAULT;";
    }
    if (!table.odd_partition.has_value()) {
        return std::nullopt;
    }
    const OddPartition& odd = *table.odd_partition;
    if (odd.kind != 'r') {
        return "its partition " + odd.name +
               " is a foreign table, which logical replication does not follow; run: ALTER TABLE " +
               qualified(table) + " DETACH PARTITION " + odd.name + ";";
    }
    if (odd.persistence != 'p') {
        return "its partition " + odd.name + " is unlogged; run: ALTER TABLE " + odd.name +
               " SET LOGGED;";
    }
    return "its partition " + odd.name +
           " has another replica identity than the primary key; run: ALTER TABLE " + odd.name +
           " REPLICA IDENTITY DEFAULT;";
}

/// Returns why no copy of this kind of table is possible, or nothing.
std::optional<std::string> refuse_kind(const TableFacts& table, const std::string& role) {
    if (table.is_partition) {
        return "it is a partition; searches of the whole partitioned table are served where that "
               "has the index: run CREATE INDEX on the root";
    }
    if (table.kind != 'r' && table.kind != 'p') {
        return "only ordinary tables can be followed by logical replication";
    }
    if (table.has_children && table.kind == 'r') {
        return "tables with inheritance children are not supported";
    }
    if (table.persistence != 'p') {
        return "it is unlogged; run: ALTER TABLE " + qualified(table) + " SET LOGGED;";
    }
    if (!table.schema_usable) {
        return "role " + role + " may not use its schema; run: GRANT USAGE ON SCHEMA " +
               table.schema + " TO " + role + ";";
    }
    if (table.rows_hidden) {
        return "row-level security hides rows from role " + role + "; run: ALTER ROLE " + role +
               " BYPASSRLS;";
    }
    if (table.kind == 'p') {
        return refuse_partitions(table);
    }
    return std::nullopt;
}

std::optional<std::size_t> position_of(
    const std::vector<ColumnFacts>& columns, std::int16_t attnum
) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnFacts& column) {
        return column.column.attnum == attnum;
    });
    return found == columns.end()
               ? std::nullopt
               : std::optional{static_cast<std::size_t>(found - columns.begin())};
}

/// Returns why the index cannot be mirrored, or nothing.
std::optional<std::string> refuse_index(const IndexFacts& index, const ColumnFacts* column) {
    if (!index.valid) {
        return "the index is not valid";
    }
    if (index.attnum == 0 || column == nullptr) {
        return "indexes on expressions are not supported yet";
    }
    if (index.column_count != 1) {
        return "the index has several columns";
    }
    if (!vector_kind_of(column->type_name).has_value()) {
        return "columns of type " + column->type_name + " are not supported yet";
    }
    if (column->column.typmod <= 0) {
        return "its column has no fixed dimensions";
    }
    if (column->generated) {
        return "generated columns do not come with logical replication";
    }
    const bool known =
        std::find(operator_classes.begin(), operator_classes.end(), index.operator_class) !=
        operator_classes.end();
    if (!known || !index.operator_class.starts_with(column->type_name + "_")) {
        return "the operator class " + index.operator_class + " is not supported yet";
    }
    return std::nullopt;
}

/// Fills in the key, or returns why there is none.
std::optional<std::string> choose_key(const TableInput& input, Table& table) {
    const char identity = input.facts.replica_identity;
    const std::string name = qualified(input.facts);
    if (identity == 'n') {
        return "it has REPLICA IDENTITY NOTHING; run: ALTER TABLE " + name +
               " REPLICA IDENTITY DEFAULT;";
    }
    if (input.identity.empty()) {
        return "it has no primary key that identifies a row; add one, or a unique index on NOT "
               "NULL "
               "columns and run: ALTER TABLE " +
               name + " REPLICA IDENTITY USING INDEX <index>;";
    }
    for (const std::int16_t attnum : input.identity) {
        const std::optional<std::size_t> position = position_of(input.columns, attnum);
        if (!position.has_value()) {
            return "its replica identity has an unknown column";
        }
        const ColumnFacts& column = input.columns[*position];
        if (!is_key_type(column.column.type_oid)) {
            return "its key column " + column.column.name + " has the type " + column.type_name +
                   "; supported are smallint, integer, bigint, date, timestamp, timestamptz, uuid, "
                   "text and varchar";
        }
        table.key.push_back(*position);
    }
    return std::nullopt;
}

std::optional<std::string> refuse_unreadable(
    const TableInput& input, const Table& table, const std::string& role
) {
    const auto readable = [&](std::size_t position) {
        return input.columns[position].readable;
    };
    if (std::all_of(table.key.begin(), table.key.end(), readable) &&
        std::all_of(table.vectors.begin(), table.vectors.end(), readable)) {
        return std::nullopt;
    }
    return "role " + role + " may not read it; run: GRANT SELECT ON " + qualified(input.facts) +
           " TO " + role + ";";
}

/// One of all rows tells more than one of some, and of several of some one stands for them all.
void leave_out_partial(std::vector<AnnIndex>& indexes) {
    std::vector<AnnIndex> kept;
    for (AnnIndex& index : indexes) {
        const bool other =
            index.partial && std::any_of(indexes.begin(), indexes.end(), [&](const AnnIndex& each) {
                return !each.partial && each.same_order(index);
            });
        const bool another =
            index.partial && std::any_of(kept.begin(), kept.end(), [&](const AnnIndex& each) {
                return each.same_order(index);
            });
        if (!other && !another) {
            kept.push_back(index);
        }
    }
    indexes = std::move(kept);
}

void add_indexes(const TableInput& input, Table& table, Catalogue& catalogue) {
    for (const IndexFacts& index : input.indexes) {
        const std::optional<std::size_t> position = position_of(input.columns, index.attnum);
        const ColumnFacts* const column = position ? &input.columns[*position] : nullptr;
        if (auto reason = refuse_index(index, column)) {
            catalogue.refused.push_back({qualified(input.facts) + " index " + index.name, *reason});
            continue;
        }
        auto known = std::find(table.vectors.begin(), table.vectors.end(), *position);
        if (known == table.vectors.end()) {
            table.vectors.push_back(*position);
            table.columns[*position].kind = *vector_kind_of(column->type_name);
            known = std::prev(table.vectors.end());
        }
        const auto vector = static_cast<std::size_t>(known - table.vectors.begin());
        table.indexes.push_back(
            {.name = index.name,
             .method = index.method,
             .vector = vector,
             .operator_name = index.operator_name,
             .operator_oid = index.operator_oid,
             .m = index.m,
             .ef_construction = index.ef_construction,
             .partial = index.partial}
        );
    }
    leave_out_partial(table.indexes);
}

/// Returns why the column's values cannot be copied, or nothing.
std::optional<std::string> refuse_column(
    const ColumnFacts& column, const std::string& table, const std::string& role
) {
    const std::optional<ColumnType> type = column_type(column.column.type_oid);
    if (!type.has_value()) {
        return "columns of type " + column.type_name + " are not supported yet";
    }
    if (column.generated) {
        return "generated columns do not come with logical replication";
    }
    if (!column.deterministic) {
        return "its collation takes different texts for equal";
    }
    if (!column.readable) {
        return "role " + role + " may not read it; run: GRANT SELECT ON " + table + " TO " + role +
               ";";
    }
    return std::nullopt;
}

void choose_columns(
    const TableInput& input,
    const ColumnChoices& choices,
    const std::string& role,
    Table& table,
    Catalogue& catalogue
) {
    const auto own =
        std::find_if(choices.tables.begin(), choices.tables.end(), [&](const auto& one) {
            return one.schema == table.schema && one.table == table.name;
        });
    const ColumnChoice& choice = own == choices.tables.end() ? choices.defaults : own->choice;
    const auto is_named = [&](const std::string& name) {
        return std::find(choice.names.begin(), choice.names.end(), name) != choice.names.end();
    };
    const std::string name = qualified(input.facts);
    for (std::size_t position = 0; position < input.columns.size(); ++position) {
        const ColumnFacts& column = input.columns[position];
        const bool named = is_named(column.column.name);
        const auto why = refuse_column(column, name, role);
        if (why.has_value()) {
            if (named) {
                catalogue.refused_columns.push_back({name + " column " + column.column.name, *why});
            }
            continue;
        }
        const bool is_key =
            std::find(table.key.begin(), table.key.end(), position) != table.key.end();
        const bool fixed = send_bytes(*column_type(column.column.type_oid)) > 0;
        if (named || choice.kind == ColumnChoice::Kind::all ||
            (choice.kind == ColumnChoice::Kind::automatic && (is_key || fixed))) {
            table.copied.push_back(position);
            if (named) {
                table.named.push_back(column.column.attnum);
            }
        }
    }
    for (const std::string& wanted : choice.names) {
        const bool exists =
            std::any_of(input.columns.begin(), input.columns.end(), [&](const auto& column) {
                return column.column.name == wanted;
            });
        if (!exists && own != choices.tables.end()) {
            std::string refused = name;
            refused.append(" column ").append(wanted);
            catalogue.refused_columns.push_back({std::move(refused), "there is no such column"});
        }
    }
}

/// In the order of the columns, so that it is the same wherever the indexes are from.
void order_vectors(Table& table) {
    const std::vector<std::size_t> before = table.vectors;
    std::sort(table.vectors.begin(), table.vectors.end());
    const auto moved = [&](std::size_t vector) {
        const auto now = std::find(table.vectors.begin(), table.vectors.end(), before[vector]);
        return static_cast<std::size_t>(now - table.vectors.begin());
    };
    for (AnnIndex& index : table.indexes) {
        index.vector = moved(index.vector);
        if (index.legacy.has_value()) {
            index.legacy = moved(*index.legacy);
        }
    }
}

/// Of the columns at these positions, in their order (Table::fingerprint).
std::string fingerprint(
    const TableInput& input, std::initializer_list<const std::vector<std::size_t>*> columns
) {
    std::string versions;
    std::string definitions;
    for (const auto* const positions : columns) {
        for (const std::size_t position : *positions) {
            versions += input.columns[position].version;
            definitions += input.columns[position].definition;
        }
    }
    return versions.append("|").append(input.facts.file).append("|").append(definitions);
}

}  // namespace

void judge(
    const TableInput& input,
    const std::string& role,
    Catalogue& catalogue,
    const ColumnChoices& choices
) {
    const TableFacts& facts = input.facts;
    if (facts.persistence == 't') {
        return;  // of one session, and gone with it
    }
    if (auto reason = refuse_kind(facts, role)) {
        catalogue.refused.push_back({qualified(facts), *reason});
        return;
    }
    Table table{
        .oid = {facts.oid},
        .schema = facts.schema,
        .name = facts.name,
        .columns = {},
        .key = {},
        .vectors = {},
        .indexes = {},
        .fingerprint = {},
        .copied = {},
        .copied_fingerprint = {},
        .estimated_rows = facts.estimated_rows};
    for (const ColumnFacts& column : input.columns) {
        table.columns.push_back(column.column);
        table.chosen_from = std::max(table.chosen_from, column.column.attnum);
    }
    add_indexes(input, table, catalogue);
    for (const DeclaredIndex& declared : choices.declared) {
        if (declared.schema == facts.schema && declared.table == facts.name) {
            add_declared(input, declared, table, catalogue);
        }
    }
    if (table.indexes.empty()) {
        return;
    }
    order_vectors(table);
    std::optional<std::string> reason = choose_key(input, table);
    if (!reason.has_value()) {
        reason = refuse_unreadable(input, table, role);
    }
    if (reason.has_value()) {
        catalogue.refused.push_back({qualified(facts), *reason});
        return;
    }
    choose_columns(input, choices, role, table, catalogue);
    table.fingerprint = fingerprint(input, {&table.key, &table.vectors});
    table.copied_fingerprint = fingerprint(input, {&table.copied});
    if (facts.kind == 'p') {
        catalogue.partitions[table.oid] = facts.partitions;
    }
    catalogue.tables.push_back(std::move(table));
}

}  // namespace veer::storage::source
