#pragma once

#include <chrono>

namespace veer::storage::source {

/// A stop signal that cuts every wait of one thread short: an eventfd which, once written, stays
/// readable. wake() may be called from any thread, and as often as one likes.
class Wake {
  public:
    Wake();
    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;
    ~Wake();

    void wake();

    bool woken() const;

    /// Sleeps for `duration`, or until woken.
    void sleep(std::chrono::milliseconds duration) const;

    /// Readable once woken; for poll().
    int fd() const { return fd_; }

  private:
    int fd_;
};

}  // namespace veer::storage::source
