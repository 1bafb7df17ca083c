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
    };

    void count(std::string_view route, std::string_view engine, Reason reason);

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

    mutable std::shared_mutex mutex_;
    std::map<Key, std::atomic<std::uint64_t>, Before> counts_;
};

}  // namespace veer::router
