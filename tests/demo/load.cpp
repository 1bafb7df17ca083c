#include "tests/demo/load.hpp"

#include <chrono>
#include <string_view>
#include <thread>

namespace veer::demo {
namespace {

constexpr std::size_t chunk_bytes = 1U << 20U;
constexpr std::string_view copy_signature("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);

void append_field(std::string& bytes, std::string_view field) {
    append_int(bytes, field.size(), 4);
    bytes.append(field);
}

void append_row(std::string& bytes, const Document& document) {
    append_int(bytes, 5, 2);
    append_int(bytes, 8, 4);
    append_int(bytes, static_cast<std::uint64_t>(document.id), 8);
    append_field(bytes, document.title);
    append_field(bytes, document.category);
    append_int(bytes, 4, 4);
    append_int(bytes, static_cast<std::uint64_t>(document.tenant), 4);
    append_field(bytes, vector_bytes(document.embedding));
}

/// How much of the table the running CREATE INDEX has read.
double build_share(Connection& connection, const Table& table) {
    const Rows rows =
        connection.execute("SELECT coalesce(max(tuples_done), 0) FROM pg_stat_progress_create_index"
        );
    return std::stod(std::string(rows.text(0, 0))) / static_cast<double>(table.rows);
}

}  // namespace

void load_documents(
    const std::string& dsn,
    const Table& table,
    const DocumentSource& source,
    const Progress& progress
) {
    Connection connection(dsn);
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector");
    connection.execute(
        "CREATE TABLE " + table.name +
        " (id bigint PRIMARY KEY, title text, category text, tenant integer, embedding vector(" +
        std::to_string(table.dimensions) + "))"
    );
    connection.begin_copy("COPY " + table.name + " FROM STDIN (FORMAT binary)");
    std::string bytes(copy_signature);
    for (std::size_t number = 0; number < table.rows; number++) {
        append_row(bytes, source(number));
        if (bytes.size() > chunk_bytes) {
            connection.copy(bytes);
            bytes.clear();
            progress(static_cast<double>(number) / static_cast<double>(table.rows));
        }
    }
    append_int(bytes, 0xFFFF, 2);
    connection.copy(bytes);
    connection.end_copy();
}

double build_hnsw(const std::string& dsn, const Table& table, const Progress& progress) {
    Connection builder(dsn);
    Connection watcher(dsn);
    builder.execute("SET maintenance_work_mem = '512MB'");
    const auto began = std::chrono::steady_clock::now();
    builder.start(
        "CREATE INDEX ON " + table.name + " USING hnsw (embedding " + table.operator_class +
        ") WITH (m = 16, ef_construction = 64)"
    );
    while (!builder.finished()) {
        progress(build_share(watcher, table));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    builder.collect();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    builder.execute("VACUUM ANALYZE " + table.name);
    builder.execute("CHECKPOINT");
    return seconds.count();
}

}  // namespace veer::demo
