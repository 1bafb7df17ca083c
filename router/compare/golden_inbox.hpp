#pragma once

#include "router/compare/golden_set.hpp"

#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace veer::router::compare {

/// Where the stream leaves its changes for golden sets, so that whoever applies them need not wait
/// for distances to be worked out.
///
///     stream ──note(), lose()──▶ [ change ]*  ──take()──▶ GoldenSet::note(), lose()
///                                  at most changes_max and bytes_max, else all is lost, and said
///
/// Thread-safe; the lock is held for copying one transaction, or for moving all out.
class GoldenInbox {
  public:
    static constexpr std::size_t changes_max = 16'384;
    static constexpr std::size_t bytes_max = std::size_t{16} << 20U;
    /// Copied values of a row that take more are left out.
    static constexpr std::size_t values_bytes_max = 4096;

    /// Only changes of these tables are kept; what came before of a new one is lost.
    void watch(std::set<storage::TableOid> tables);

    /// Before the index shows it.
    void note(const storage::Transaction& transaction);

    /// Anything up to here may have changed.
    void lose(storage::Lsn upto);

    struct Taken {
        std::optional<storage::Lsn> lost;  ///< everything up to here, before the changes
        std::vector<GoldenSet::Change> changes;
    };

    Taken take();

  private:
    void drop();

    std::mutex mutex_;
    std::set<storage::TableOid> tables_;
    Taken waiting_;
    std::size_t bytes_ = 0;
    storage::Lsn noted_;
};

}  // namespace veer::router::compare
