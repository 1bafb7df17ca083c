#pragma once

#include "storage/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::storage::source {

/// Decodes COPY ... (FORMAT binary), fed with pieces of any size (PostgreSQL manual, COPY, "Binary
/// Format"):
///
///     "PGCOPY\n\377\r\n\0" | be32 flags | be32 extension length | extension
///     be16 fields | ( be32 length, or -1 for NULL | bytes )*           one tuple
///     be16 -1                                                          trailer
///
/// Invariants:
/// 1. What is incomplete waits for more; what is malformed is an error, which is sticky.
/// 2. At most one tuple plus one piece is kept in memory; a tuple over `tuple_bytes_max` is an
/// error.
class BinaryCopyDecoder {
  public:
    /// Postgres itself ends at 1 GB a value; keys and vectors are far below.
    static constexpr std::size_t tuple_bytes_max = 64U << 20U;

    using Fields = std::vector<std::optional<std::string_view>>;

    explicit BinaryCopyDecoder(std::size_t field_count) : field_count_{field_count} {}

    /// Appends a piece. Views of earlier tuples die.
    void feed(std::string_view bytes);

    /// Returns the next complete tuple's fields, which live until feed(), or nothing where more
    /// bytes are needed or the trailer was seen.
    Result<std::optional<Fields>> next();

    /// True once the trailer was seen: a copy without it was cut short.
    bool ended() const { return state_ == State::ended; }

  private:
    enum class State { header, tuples, ended, failed };

    Result<std::optional<Fields>> fail(std::string_view why);
    bool take_header();

    std::size_t field_count_;
    std::string buffer_;
    std::size_t consumed_ = 0;
    State state_ = State::header;
    bool malformed_ = false;
};

}  // namespace veer::storage::source
