#pragma once

#include "index/error.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace veer::index {

/// When a search shall give up. It then fails with Errc::too_many_visits, cancelled or late: an
/// answer that has not been looked for to the end is none.
struct SearchLimits {
    std::uint64_t visits_max = std::numeric_limits<std::uint64_t>::max();  ///< vectors compared
    const std::atomic<bool>* cancelled = nullptr;  ///< must outlive the search
    std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;
};

/// One search's use of its limits.
class Effort {
  public:
    explicit Effort(const SearchLimits& limits) : limits_{limits} {}

    /// Counts, and looks at flag and clock every some hundred visits; says whether to go on.
    bool visit(std::uint64_t count) {
        visits_ += count;
        return visits_ < next_look_ || look();
    }

    /// Why not to go on.
    std::optional<Errc> reason() const { return reason_; }

  private:
    static constexpr std::uint64_t visits_between_looks = 512;

    bool look() {
        if (visits_ > limits_.visits_max) {
            reason_ = Errc::too_many_visits;
        } else if (limits_.cancelled != nullptr && limits_.cancelled->load()) {
            reason_ = Errc::cancelled;
        } else if (limits_.deadline && std::chrono::steady_clock::now() > *limits_.deadline) {
            reason_ = Errc::late;
        }
        // At the last visit allowed it looks in vain, so that it looks at the next one.
        next_look_ = visits_ + std::min(visits_between_looks, limits_.visits_max - visits_);
        return !reason_;
    }

    const SearchLimits& limits_;
    std::uint64_t visits_ = 0;
    std::uint64_t next_look_ = 0;
    std::optional<Errc> reason_;
};

}  // namespace veer::index
