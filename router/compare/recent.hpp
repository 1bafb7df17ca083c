#pragma once

#include "router/compare/judgement.hpp"
#include "router/compare/statistics.hpp"
#include "storage/lsn.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace veer::router::compare {

/// The last comparisons, a few numbers each, so that a report can be about the last hour.
///
/// Bounded: of more than `kept_max` the oldest are forgotten.
class RecentComparisons {
  public:
    static constexpr std::size_t kept_max = 20'000;

    struct Entry {
        std::int64_t taken_us = 0;  ///< microseconds since 1970
        std::string route;
        Judgement judgement;
        Durations durations;
        storage::Lsn applied;
        bool cold = false;  ///< says nothing of latency
    };

    void add(Entry entry);

    /// What those from then on come to, by route.
    std::map<std::string, RouteStatistics> since(std::int64_t from_us) const;

    /// The first moment of which all are kept; nothing where none was forgotten.
    std::optional<std::int64_t> complete_from_us() const { return complete_from_us_; }

  private:
    std::deque<Entry> kept_;
    std::optional<std::int64_t> complete_from_us_;
};

/// Microseconds since 1970 of "2026-05-04T14:22:07.114Z", as time_text() writes it; seconds may
/// have no fraction, and T and Z any case.
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace veer::router::compare
