#include "router/selectivity.hpp"

#include <algorithm>
#include <cmath>

namespace veer::router {

namespace {

constexpr double reserve = 1.25;  // neighbours are not a fair sample of the table

/// So many that `wanted` of them are kept, on average and with a reserve.
std::uint64_t needed(std::uint64_t wanted, double share) {
    constexpr std::uint64_t reserve_min = 2;
    const double exact = std::ceil(static_cast<double>(wanted) / share * reserve);
    return std::max(static_cast<std::uint64_t>(exact), wanted + reserve_min);
}

}  // namespace

std::uint64_t Selectivity::candidates(std::uint64_t wanted, std::uint64_t most) {
    const double share = share_.load(std::memory_order_relaxed);
    const std::uint64_t enough = needed(wanted, share);
    if (enough <= most) {
        return enough;
    }
    const bool hopeless = static_cast<double>(wanted) / share > static_cast<double>(most);
    const bool now = given_up_.fetch_add(1, std::memory_order_relaxed) % tried_every == 0;
    return hopeless && !now ? 0 : most;
}

void Selectivity::note_short(std::uint64_t kept, std::uint64_t candidates) {
    const double observed =
        (static_cast<double>(kept) + 0.5) / (static_cast<double>(candidates) + 1.0);
    share_.store(
        std::min(share_.load(std::memory_order_relaxed), observed), std::memory_order_relaxed
    );
}

void Selectivity::note_full() {
    constexpr double growth = 1.05;
    share_.store(
        std::min(1.0, share_.load(std::memory_order_relaxed) * growth), std::memory_order_relaxed
    );
}

std::uint64_t more_candidates(std::uint64_t wanted, std::uint64_t kept, std::uint64_t candidates) {
    const double share = (static_cast<double>(kept) + 0.5) / static_cast<double>(candidates);
    return std::max(2 * candidates, needed(wanted, share));
}

}  // namespace veer::router
