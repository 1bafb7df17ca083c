#pragma once

#include <chrono>
#include <optional>

namespace veer::storage::sync {

/// When a stream that says nothing is asked for a sign of life, and when it is given up. A server
/// whose walsender stands still, or a proxy on the way that forwards nothing, keeps its connection
/// open for ever, and the copy would grow old without a word.
///
///     heard ──────── max / 4 ──▶ asked, again and again ──────── max ──▶ given up
///
/// The time counts from the first question, not from the last message: the caller may have been
/// busy with that for long, and the answer be there unread. So given_up() is asked only where a
/// reader has found nothing to read. Pure: the time is an input.
class Silence {
  public:
    using Clock = std::chrono::steady_clock;

    Silence(std::chrono::milliseconds max, Clock::time_point now) : max_{max}, heard_{now} {}

    /// A message has come, and what it said is done.
    void heard(Clock::time_point now) {
        heard_ = now;
        asked_.reset();
    }

    /// Whether the server is to be asked; then it is.
    bool asks(Clock::time_point now) {
        if (now - heard_ < max_ / 4) {
            return false;
        }
        asked_ = asked_.value_or(now);
        return true;
    }

    /// There is nothing to read.
    bool given_up(Clock::time_point now) const {
        return asked_.has_value() && now - *asked_ > max_;
    }

  private:
    std::chrono::milliseconds max_;
    Clock::time_point heard_;
    std::optional<Clock::time_point> asked_;
};

}  // namespace veer::storage::sync
