#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace veer::demo {

/// What the server (or libpq) said; the programs here end with it.
class DatabaseError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The result of a statement, in text or binary format as it was asked for.
class Rows {
  public:
    explicit Rows(PGresult* result);

    int count() const;
    std::string_view text(int row, int column) const;
    std::string_view text(int row, const std::string& column) const;
    std::int64_t int8(int row, int column) const;
    double float8(int row, int column) const;

  private:
    std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

/// One libpq connection, used by one thread.
class Connection {
  public:
    explicit Connection(const std::string& dsn);

    /// Runs one statement by the simple protocol; the rows are text.
    Rows execute(const std::string& sql);

    /// Sends one statement and returns at once; finished() tells when collect() will not block.
    void start(const std::string& sql);
    bool finished();
    Rows collect();

    void prepare(const std::string& name, const std::string& sql);

    /// Runs a prepared statement by the extended protocol, parameters and rows in binary format.
    Rows run(const std::string& name, std::span<const std::string> parameters);

    /// COPY ... FROM STDIN: begin, any number of chunks, end.
    void begin_copy(const std::string& sql);
    void copy(std::string_view chunk);
    void end_copy();

  private:
    Rows checked(PGresult* result);
    [[noreturn]] void fail();

    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

/// Appends an integer in network byte order, as the binary formats of PostgreSQL want it.
void append_int(std::string& bytes, std::uint64_t value, std::size_t width);

/// The binary format of pgvector's `vector`: int16 dimensions, int16 unused, float4 each.
std::string vector_bytes(std::span<const float> vector);

}  // namespace veer::demo
