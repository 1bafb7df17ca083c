#pragma once

#include "storage/sync/verification.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace veer::storage::sync {

/// Where comparisons are asked for, and what came of them is counted. It outlives the connections;
/// whoever compares comes and goes with them.
///
///     ask() ─▶ [requests] ─▶ next() ─▶ answer() ─▶ done(verdicts)
///                  └── nobody compares, or he leaves ──▶ done(why not)
///
/// Invariants:
/// 1. Every request is answered once, outside of the lock.
/// 2. At most `requests_max` wait; one more is answered at once.
class VerifyDesk {
  public:
    using Clock = std::chrono::steady_clock;

    static constexpr std::size_t requests_max = 8;

    void ask(VerifyRequest request, VerifyDone done);

    std::vector<VerifiedTable> counted() const;

    /// One who compares, on one thread: open(), then these, until close() from any thread.
    void open();
    void close(const std::string& why);
    bool is_open() const;
    /// Waits for a request until then, or until close(). It is to be answered.
    std::optional<VerifyRequest> next(Clock::time_point until);
    void answer(std::vector<TableVerdict> verdicts);

    /// Adds what came of a comparison; `whole` where it is the end of one of the whole table.
    void count(const TableVerdict& verdict, bool whole, std::chrono::system_clock::time_point now);

  private:
    struct Asked {
        VerifyRequest request;
        VerifyDone done;
    };

    mutable std::mutex mutex_;  ///< guards all below
    std::condition_variable changed_;
    bool open_ = false;
    std::string why_closed_ = "The copy is not being followed yet.";
    std::deque<Asked> asked_;  ///< the first is being answered where `answering_`
    bool answering_ = false;
    std::vector<VerifiedTable> counted_;
};

}  // namespace veer::storage::sync
