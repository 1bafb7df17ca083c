#include "storage/source/table_copy.hpp"

#include "storage/partitions.hpp"
#include "storage/source/binary_copy.hpp"
#include "storage/source/row_mapper.hpp"

#include <utility>

namespace veer::storage::source {

namespace {

constexpr std::size_t batch_rows_max = 1'000;
constexpr std::size_t batch_bytes_max = 8U << 20U;
/// A server that sends nothing of a running COPY for so long is taken for dead.
constexpr std::chrono::minutes silence_max{5};

std::string table_name(const Connection& connection, const Table& table) {
    return connection.quote_identifier(table.schema) + "." +
           connection.quote_identifier(table.name);
}

std::string copy_statement(
    const Connection& connection, const Table& table, const std::string& condition
) {
    std::string sql = "COPY (SELECT ";
    const char* separator = "";
    for (const auto* const positions : {&table.key, &table.vectors, &table.copied}) {
        for (const std::size_t position : *positions) {
            sql += separator + connection.quote_identifier(table.columns[position].name);
            separator = ", ";
        }
    }
    return sql.append(" FROM ")
        .append(only(table))
        .append(table_name(connection, table))
        .append(" WHERE ")
        .append(condition)
        .append(") TO STDOUT (FORMAT binary)");
}

/// Collects rows until a batch is full.
class Batcher {
  public:
    Batcher(const Table& table, const RowSink& sink) : table_{table}, sink_{sink} {}

    Result<void> add(const BinaryCopyDecoder::Fields& fields) {
        auto row = row_of_copy(table_, fields);
        if (!row.has_value()) {
            return row.error();
        }
        for (const auto& field : fields) {
            bytes_ += field.has_value() ? field->size() : 0;
        }
        rows_.push_back(std::move(*row));
        return rows_.size() >= batch_rows_max || bytes_ >= batch_bytes_max ? flush()
                                                                           : Result<void>{};
    }

    Result<void> flush() {
        auto taken = rows_.empty() ? Result<void>{} : sink_(std::move(rows_), bytes_);
        rows_.clear();
        bytes_ = 0;
        return taken;
    }

  private:
    const Table& table_;
    const RowSink& sink_;
    std::vector<Row> rows_;
    std::size_t bytes_ = 0;
};

Result<void> drain(BinaryCopyDecoder& decoder, Batcher& batcher) {
    for (;;) {
        auto fields = decoder.next();
        if (!fields.has_value()) {
            return fields.error();
        }
        if (!fields->has_value()) {
            return {};
        }
        if (auto added = batcher.add(**fields); !added.has_value()) {
            return added;
        }
    }
}

}  // namespace

Result<void> begin_copying(
    Connection& connection, const std::string& snapshot_name, const Table& table
) {
    for (const std::string& statement :
         {std::string{"SET lock_timeout = '5s'"},
          std::string{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
          "SET TRANSACTION SNAPSHOT " + connection.quote_literal(snapshot_name)}) {
        if (auto done = connection.query(statement); !done.has_value()) {
            return done.error();
        }
    }
    auto locked = connection.query(std::string{"LOCK TABLE "}
                                       .append(only(table))
                                       .append(table_name(connection, table))
                                       .append(" IN ACCESS SHARE MODE"));
    if (!locked.has_value() && connection.sqlstate() == "55P03") {
        return Error{
            Errc::connection, "The table cannot be copied while a schema change has it locked."};
    }
    return locked.has_value() ? Result<void>{} : Result<void>{locked.error()};
}

Result<void> copy_rows(
    Connection& connection, const Table& table, const std::string& condition, const RowSink& sink
) {
    if (auto begun = connection.begin_copy(copy_statement(connection, table, condition));
        !begun.has_value()) {
        return begun;
    }
    BinaryCopyDecoder decoder{table.key.size() + table.vectors.size() + table.copied.size()};
    Batcher batcher{table, sink};
    for (;;) {
        auto data = connection.read_copy(std::chrono::steady_clock::now() + silence_max);
        if (!data.has_value()) {
            return data.error();
        }
        if (data->timed_out) {
            return Error{
                Errc::connection, "Postgres sent nothing of a table's copy for 5 minutes."};
        }
        if (data->ended) {
            break;
        }
        decoder.feed(data->bytes);
        if (auto drained = drain(decoder, batcher); !drained.has_value()) {
            return drained;
        }
    }
    if (!decoder.ended()) {
        return Error{Errc::unexpected, "The copy of " + table.name + " ended without its trailer."};
    }
    return batcher.flush();
}

}  // namespace veer::storage::source
