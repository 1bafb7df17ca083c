#pragma once

#include "storage/error.hpp"
#include "storage/lsn.hpp"

#include <chrono>
#include <string>

namespace veer::storage::sync {

/// Tells a message that can never be applied from trouble that passes: who retries the former for
/// ever stands still, and holds back the upstream's WAL.
///
///     the same position, the same message, for the third time ─▶ Errc::gone: copy from behind it
///
/// Copies that follow each other for that reason within an hour wait 10 s, 20 s ... an hour.
class Stumble {
  public:
    using Clock = std::chrono::steady_clock;

    struct Verdict {
        Error error;
        std::chrono::milliseconds wait{0};  ///< before the copy that `error` asks for
    };

    /// Takes why a stream ended, where, and when.
    Verdict judge(const Error& error, Lsn position, Clock::time_point now);

  private:
    Lsn position_;
    std::string message_;
    int times_ = 0;
    std::chrono::milliseconds wait_{0};
    Clock::time_point copied_;
};

}  // namespace veer::storage::sync
