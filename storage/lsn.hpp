#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace veer::storage {

/// A position in the write-ahead log (PostgreSQL manual, 8.20 "pg_lsn Type"). Zero is "nowhere".
struct Lsn {
    std::uint64_t value = 0;

    // clang-tidy 14 takes the 0 of a rewritten < for a pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend auto operator<=>(const Lsn&, const Lsn&) = default;
};

/// Formats as Postgres does: "16/B374D848".
std::string to_string(Lsn lsn);

/// Parses "16/B374D848"; returns a zero Lsn where the text is not one.
Lsn parse_lsn(const std::string& text);

/// Undoes the page-header offset of an insert position, which the stream will never report
/// (REPLICATION.md 3.1): an insert position at the start of a WAL page reads page + 24 bytes, or
/// + 40 at the start of a segment, while the last record ended at the page start.
Lsn normalise_insert_lsn(Lsn insert, std::uint32_t wal_block_size, std::uint32_t wal_segment_size);

}  // namespace veer::storage
