#pragma once

#include "storage/error.hpp"

#include <chrono>

namespace veer::storage::sync {

/// How long the next session waits after one has ended. Pure: time comes in.
///
///     the stream lived as long as was waited for it     0.2 s, else doubling to 10 s
///     a right or an index is missing                    the poll: a person is about to change that
///     all is to be copied again                         at once, where the copy lived as long as
///     it
///                                                       took, and the first time; else 10 s,
///                                                       doubling to an hour
///
/// That a stream began proves little: one begins without any table, and what ends it may come again
/// as soon.
class Retry {
  public:
    using Clock = std::chrono::steady_clock;

    /// One session.
    struct Life {
        Errc ended = Errc::connection;
        bool dropped = false;  ///< its slot, by veer: it held back too much WAL
        std::chrono::milliseconds streamed{0};
        std::chrono::milliseconds copying{0};   ///< until every table that could be was complete
        std::chrono::milliseconds complete{0};  ///< from then on
    };

    explicit Retry(std::chrono::milliseconds poll) : poll_{poll} {}

    std::chrono::milliseconds after(const Life& life);

  private:
    std::chrono::milliseconds copy_again(const Life& life);

    std::chrono::milliseconds poll_;
    std::chrono::milliseconds delay_{0};
    std::chrono::milliseconds copy_delay_{0};
};

}  // namespace veer::storage::sync
