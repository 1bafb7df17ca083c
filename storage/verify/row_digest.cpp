#include "storage/verify/row_digest.hpp"

#include "storage/byte_writer.hpp"
#include "storage/verify/send_format.hpp"

#include <openssl/sha.h>

#include <array>

namespace veer::storage::verify {

namespace {

constexpr std::uint8_t null_flag = 0;
constexpr std::uint8_t value_flag = 1;
/// Of a value that cannot have come from Postgres: equal to nothing there.
constexpr std::uint8_t impossible_flag = 2;

void append_vector(ByteWriter& out, VectorKind kind, const VectorValue& value) {
    if (std::holds_alternative<NullVector>(value)) {
        out.u8(null_flag);
        return;
    }
    if (const auto* const foreign = std::get_if<ForeignVector>(&value)) {
        out.u8(value_flag).sized(foreign->digest);
        return;
    }
    const auto* const vector = std::get_if<Vector>(&value);
    const auto bytes = vector == nullptr ? std::nullopt : send_format(kind, *vector);
    if (bytes.has_value()) {
        out.u8(value_flag).sized(*bytes);
    } else {
        out.u8(impossible_flag);
    }
}

void append_value(ByteWriter& out, const ColumnValue& value) {
    if (std::holds_alternative<NullValue>(value)) {
        out.u8(null_flag);
    } else if (const auto* const bytes = std::get_if<std::string>(&value)) {
        out.u8(value_flag).sized(*bytes);
    } else {
        out.u8(impossible_flag);
    }
}

std::string sized_sql(const std::string& sent) {
    return "pg_catalog.int4send(pg_catalog.octet_length(" + sent + ")) || " + sent;
}

std::string sent_sql(const Column& column, const SendFunctions& send) {
    const auto function = send.find(column.type_oid);
    return (function == send.end() ? "" : function->second) + "(" + quoted(column.name) + ")";
}

/// What append_vector() writes of a foreign vector.
std::string foreign_digest_sql(const std::string& sent) {
    return "pg_catalog.substring(pg_catalog.sha256(" + sent + "), 1, " +
           std::to_string(foreign_digest_bytes) + ")";
}

}  // namespace

std::uint64_t row_digest(const Table& table, const Row& row) {
    ByteWriter input;
    input.bytes(row.key);
    for (std::size_t i = 0; i < table.vectors.size() && i < row.vectors.size(); ++i) {
        append_vector(input, table.columns[table.vectors[i]].kind, row.vectors[i]);
    }
    for (std::size_t i = 0; i < table.copied.size() && i < row.values.size(); ++i) {
        append_value(input, row.values[i]);
    }
    const std::string& bytes = input.written();
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
    std::uint64_t digest = 0;
    for (std::size_t byte = 0; byte < sizeof digest; ++byte) {
        digest = digest << 8U | hash.at(byte);
    }
    return digest;
}

std::string quoted(std::string_view name) {
    std::string identifier = "\"";
    for (const char c : name) {
        identifier.append(c == '"' ? 2 : 1, c);
    }
    return identifier + '"';
}

std::string key_sql(const Table& table, const SendFunctions& send) {
    std::string sql;
    for (const std::size_t position : table.key) {
        sql += (sql.empty() ? "" : " || ") + sized_sql(sent_sql(table.columns[position], send));
    }
    return sql;
}

std::string digest_sql(const Table& table, const SendFunctions& send) {
    std::string row = key_sql(table, send);
    for (const auto* const positions : {&table.vectors, &table.copied}) {
        for (const std::size_t position : *positions) {
            const Column& column = table.columns[position];
            const std::string sent = sent_sql(column, send);
            const bool foreign = positions == &table.vectors && column.form != VectorForm::native;
            row += " || coalesce('\\x01'::pg_catalog.bytea || " +
                   sized_sql(foreign ? foreign_digest_sql(sent) : sent) +
                   ", '\\x00'::pg_catalog.bytea)";
        }
    }
    return "('x' || pg_catalog.encode(pg_catalog.substring(pg_catalog.sha256(" + row +
           "), 1, 8), 'hex'))::bit(64)::pg_catalog.int8";
}

}  // namespace veer::storage::verify
