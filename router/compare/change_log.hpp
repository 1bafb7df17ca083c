#pragma once

#include "storage/lsn.hpp"
#include "storage/row.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace veer::router::compare {

/// What one statement of Postgres saw: pg_current_snapshot() (manual 9.27.8), "xmin:xmax:xip,xip".
///
/// An LSN alone does not say it: a transaction whose commit is in the log already may not be
/// visible yet, while its backend waits for the disk or for a standby.
class PgSnapshot {
  public:
    /// Nothing where the text is not a snapshot.
    static std::optional<PgSnapshot> parse(std::string_view text);

    /// Whether a *committed* transaction was visible. The stream has the low 32 bits of its number.
    bool sees(std::uint32_t xid) const;

  private:
    std::uint32_t xmin_ = 0;
    std::uint32_t xmax_ = 0;
    std::vector<std::uint32_t> running_;
};

/// Between which moments veer's sides of a comparison looked at the copy.
struct Window {
    storage::Lsn before;  ///< applied before the first looked: it saw all up to here
    storage::Lsn after;   ///< noted after the last looked: it saw nothing beyond
    /// A side that is not the copy may have looked at rows as they were then.
    std::optional<std::int64_t> since_ns = std::nullopt;
};

/// The rows that one of the engines may have seen, and the other not.
struct Changed {
    std::unordered_set<std::string> keys = {};
    bool complete = true;  ///< false: any row may have changed
    bool covered = true;   ///< false: the log does not reach over the whole window
};

/// The changes of the last moments, so that a comparison can tell which rows were in motion.
///
///     stream ──note()──▶ [ lsn xid table key ]* ──between()──▶ rows that only one side saw
///                          oldest ... newest, at most entries_max and bytes_max
///
/// A transaction explains a difference unless both sides saw it (visible to Postgres, applied
/// before veer's first look) or neither did.
///
/// Invariants:
/// 1. note() comes before the index shows the change, so that whatever a search has seen is here.
/// 2. What has been dropped for room, or was never noted, is remembered by its position and its
///    time: an answer that would need it is not `covered`.
/// 3. Thread-safe; nobody holds the lock for longer than one pass over the entries.
class ChangeLog {
  public:
    static constexpr std::size_t entries_max = 65'536;
    static constexpr std::size_t bytes_max = std::size_t{8} << 20U;

    /// While off, only positions are noted.
    void keep(bool on, std::int64_t now_ns);

    void note(const storage::Transaction& transaction, std::int64_t now_ns);

    /// A position without changes, or another copy: nothing before it is known.
    void note_position(storage::Lsn lsn, std::int64_t now_ns);
    void restart(storage::Lsn lsn, std::int64_t now_ns);

    storage::Lsn noted() const;

    /// Changes up to here may be missing.
    storage::Lsn known_from() const;

    /// Requires that all that `snapshot` sees has been noted.
    Changed between(storage::TableOid table, const Window& window, const PgSnapshot& snapshot)
        const;

  private:
    struct Entry {
        storage::Lsn lsn;
        std::uint32_t xid = 0;
        storage::TableOid table;
        std::string key;
        bool all = false;  ///< TRUNCATE
        std::int64_t noted_ns = 0;
    };

    void add(Entry entry);

    mutable std::mutex mutex_;
    bool on_ = false;
    std::deque<Entry> entries_;
    std::size_t bytes_ = 0;
    storage::Lsn known_from_;  ///< changes up to here may be missing
    std::int64_t known_since_ns_ = std::numeric_limits<std::int64_t>::max();  ///< and up to then
    storage::Lsn noted_;
};

}  // namespace veer::router::compare
