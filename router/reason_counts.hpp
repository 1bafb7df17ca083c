#pragma once

#include "router/reason.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace veer::router {

/// How often searches went where, and why, since the start: SHOW veer.reasons and the console.
///
///     route                        engine    reason    searches
///     public.docs.embedding <=>    veer      rewrite        812
///                                  postgres  function        40       belongs to no route
///
/// Thread-safe; nothing is locked against others once an entry exists. At most `entries_max`:
/// routes come and go, and the process stays.
class ReasonCounts {
  public:
    static constexpr std::size_t entries_max = 4096;

    struct Entry {
        std::string route;  ///< empty where the search belonged to none
        std::string engine;
        std::string reason;
        std::uint64_t calls = 0;
        std::int64_t last_ms = -1;  ///< as of a look at the counts, see note_times(); below 0: none
    };

    void count(std::string_view route, std::string_view engine, Reason reason);

    /// What has calls that it had not at the last look was called now: searches ask no clock.
    /// `now_ms` is whatever entries() are to tell. From one thread at a time.
    void note_times(std::int64_t now_ms);

    /// The most frequent first.
    std::vector<Entry> entries() const;

    /// Of one of them.
    std::uint64_t calls(std::string_view route, std::string_view engine, Reason reason) const;

    /// SHOW veer.reasons.
    static const std::vector<std::string>& columns();
    std::vector<std::vector<std::string>> rows() const;

  private:
    using Key = std::tuple<std::string, std::string, std::string>;  // route, engine, reason
    using Views = std::tuple<std::string_view, std::string_view, std::string_view>;

    struct Before {
        using is_transparent = void;  // NOLINT(readability-identifier-naming): of std::map

        template <class Left, class Right>
        bool operator()(const Left& left, const Right& right) const {
            return Views(left) < Views(right);
        }
    };

    struct Count {
        std::atomic<std::uint64_t> calls = 0;
        std::atomic<std::uint64_t> seen = 0;  ///< by note_times()
        std::atomic<std::int64_t> last_ms = -1;
    };

    mutable std::shared_mutex mutex_;
    std::map<Key, Count, Before> counts_;
};

}  // namespace veer::router
