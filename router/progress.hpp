#pragma once

#include "storage/sync/observer.hpp"

#include <string>

namespace veer::router {

/// How far the copy of one table is, in the words of SHOW veer.routes. Its own trouble comes before
/// everybody's.
///
///     phase waiting              "waiting"
///     phase loading              "loading"
///     phase copying, streaming   the table's own state; once that is streaming: "live", or
///                                "waiting" where the index cannot answer yet
struct Progress {
    std::string state;
    double percent = 0;  ///< 100 only where all rows are there and follow
    std::string reason;  ///< a sentence for people; empty when all is well
};

Progress progress_of(
    const storage::sync::Status& status, const storage::sync::TableStatus& table, bool live
);

/// A table that the status does not name yet waits.
Progress progress_of(const storage::sync::Status& status, storage::TableOid table, bool live);

}  // namespace veer::router
