#pragma once

#include <cstdint>
#include <optional>

namespace veer::router::compare {

/// How much of all time a comparison may be in flight: whatever is in flight delays the searches
/// beside it, so that this share is the share of searches that can be delayed, and bounds how far
/// their p99 moves.
///
///     in flight   ▓▓▓                                  ▓▓                      ▓▓▓▓
///     then none      ◀── as long as makes it a share ──▶ ◀── of all time ──────▶
///
/// 1. Nothing waits for it: what comes while there is none left is dropped by whoever asks.
/// 2. What a comparison takes is known afterwards: it may overdraw, and is paid back before the
///    next. At most so many seconds' worth is saved up, and never more than a minute's owed: one
///    that hangs must not blind whoever watches the others.
/// 3. On a machine that nobody searches on, the share is `idle_share`; one that has not been looked
///    at twice is not known to be idle.
/// 4. A share of one or more bounds nothing.
///
/// Pure: clocks are arguments.
class LoadBudget {
  public:
    /// Fewer searches a second are nobody.
    static constexpr double idle_searches_max = 2;
    static constexpr double idle_share = 0.25;
    static constexpr std::int64_t look_every_ns = 1'000'000'000;
    /// A search that begins while a comparison rests is delayed only by what begins before it ends:
    /// of a longer rest so much counts.
    static constexpr std::int64_t rest_counted_ns = 1'000'000;

    static constexpr double owed_seconds_max = 60;

    explicit LoadBudget(double share = 1, double saved_seconds_max = 1)
        : share_(share), saved_ns_max_(saved_seconds_max * 1e9) {}

    void set_share(double share) { share_ = share; }

    /// How many searches there have been so far. Looks that follow too soon change nothing.
    void look(std::uint64_t searches, std::int64_t now_ns);

    bool idle() const { return idle_; }

    /// Whether anything may be in flight now.
    bool available(std::int64_t now_ns);

    /// Something was in flight for so long.
    void charge(std::int64_t in_flight_ns);

  private:
    struct Look {
        std::uint64_t searches = 0;
        std::int64_t at_ns = 0;
    };

    double share_;
    double saved_ns_max_;
    bool idle_ = false;
    std::optional<Look> looked_;
    double left_ns_ = 0;
    std::optional<std::int64_t> filled_ns_;
};

}  // namespace veer::router::compare
