#include "storage/verify/table_range.hpp"

#include "storage/partitions.hpp"

#include <utility>

namespace veer::storage::verify {

namespace {

std::string bytes_of_hex(const std::string& text) {
    const auto digit = [](char c) {
        return static_cast<unsigned>(c >= 'a' ? c - 'a' + 10 : c - '0');
    };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<char>(digit(text[i]) << 4U | digit(text[i + 1])));
    }
    return bytes;
}

}  // namespace

TableRange::TableRange(source::Connection& connection, const Table& table, SendFunctions send)
    : connection_{connection}, table_{table}, send_{std::move(send)} {}

Result<TableRange> TableRange::make(source::Connection& connection, const Table& table) {
    std::string types;
    for (const auto* const positions : {&table.key, &table.vectors, &table.copied}) {
        for (const std::size_t position : *positions) {
            types += (types.empty() ? "" : ", ") + std::to_string(table.columns[position].type_oid);
        }
    }
    // With an empty search_path a function's name comes with its schema, and quoted.
    auto found = connection.query(
        "SELECT t.oid, t.typsend FROM pg_catalog.pg_type t WHERE t.oid IN (" + types + ")"
    );
    if (!found.has_value()) {
        return found.error();
    }
    SendFunctions send;
    for (int row = 0; row < found->size(); ++row) {
        send[static_cast<std::uint32_t>(found->integer(row, 0))] = found->text(row, 1);
    }
    return TableRange{connection, table, std::move(send)};
}

std::string TableRange::select(
    const std::string& expressions, const KeyRange& range, std::size_t rows_max
) const {
    const std::string what = std::string{expressions}
                                 .append(" FROM ")
                                 .append(only(table_))
                                 .append(quoted(table_.schema))
                                 .append(".")
                                 .append(quoted(table_.name))
                                 .append(" WHERE ");
    std::string sql;
    for (const std::string& condition : conditions(table_, send_, range)) {
        sql.append(sql.empty() ? "SELECT " : " UNION ALL SELECT ").append(what).append(condition);
    }
    return sql + " LIMIT " + std::to_string(rows_max);
}

Result<RangeSum> TableRange::sum(const KeyRange& range, std::size_t rows_max) {
    auto found = connection_.query(
        "SELECT pg_catalog.count(*), coalesce(pg_catalog.bit_xor(r.digest), 0) FROM (" +
        select(digest_sql(table_, send_) + " AS digest", range, rows_max) + ") r"
    );
    if (!found.has_value()) {
        return found.error();
    }
    return RangeSum{
        static_cast<std::uint64_t>(found->integer(0, 0)),
        static_cast<std::uint64_t>(found->integer(0, 1))};
}

Result<std::vector<DigestedRow>> TableRange::rows(const KeyRange& range, std::size_t rows_max) {
    const std::string key = "pg_catalog.encode(" + key_sql(table_, send_) + ", 'hex')";
    auto found = connection_.query(select(key + ", " + digest_sql(table_, send_), range, rows_max));
    if (!found.has_value()) {
        return found.error();
    }
    std::vector<DigestedRow> rows;
    rows.reserve(static_cast<std::size_t>(found->size()));
    for (int row = 0; row < found->size(); ++row) {
        rows.push_back(
            {bytes_of_hex(found->text(row, 0)), static_cast<std::uint64_t>(found->integer(row, 1))}
        );
    }
    return rows;
}

std::string TableRange::any_of(const std::vector<RowKey>& keys) const {
    std::string all;
    for (const RowKey& key : keys) {
        all += (all.empty() ? "(" : " OR (") + key_condition(table_, send_, key) + ")";
    }
    return all;
}

}  // namespace veer::storage::verify
