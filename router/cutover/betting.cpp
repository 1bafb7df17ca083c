#include "router/cutover/betting.hpp"

#include <algorithm>
#include <cmath>

namespace veer::router::cutover {

namespace {

constexpr double stake_most = 0.98;  // of what would ruin
constexpr double stake_ratio = 0.75;

/// The values as they look from the other end: evidence for "below m" is evidence for "above 1-m".
Histogram mirrored(const Histogram& seen) {
    Histogram mirror;
    for (std::size_t bin = 0; bin < Histogram::bins; ++bin) {
        mirror.add(Histogram::bins - 1 - bin, seen.at(bin));
    }
    return mirror;
}

Bet played(const Histogram& seen, double m) {
    Bet bet(m);
    for (std::size_t bin = 0; bin < Histogram::bins; ++bin) {
        if (seen.at(bin) > 0) {
            bet.add(bin, static_cast<double>(seen.at(bin)));
        }
    }
    return bet;
}

}  // namespace

Bet::Bet(double m) {
    double stake = stake_most / std::clamp(m, 1e-6, 1.0);
    for (std::size_t j = 0; j < stakes; ++j, stake *= stake_ratio) {
        for (std::size_t bin = 0; bin < Histogram::bins; ++bin) {
            gains_.at(bin).at(j) = std::log1p(stake * (Histogram::value_of(bin) - m));
        }
    }
}

void Bet::add(std::size_t bin, double times) {
    const auto& gains = gains_.at(bin);
    for (std::size_t j = 0; j < stakes; ++j) {
        wealth_[j] +=
            times * gains[j];  // NOLINT(cppcoreguidelines-pro-bounds-constant-array-index)
    }
}

double Bet::best() const {
    return *std::max_element(wealth_.begin(), wealth_.end());
}

double Bet::log_evidence() const {
    const double most = best();
    double sum = 0;
    for (const double wealth : wealth_) {
        sum += std::exp(wealth - most);
    }
    return most + std::log(sum / stakes);
}

double log_evidence(const Histogram& seen, double m) {
    return played(seen, m).log_evidence();
}

double log_evidence_needed(double confidence) {
    return -std::log(1.0 - confidence);
}

double lower_bound(const Histogram& seen, double confidence) {
    constexpr int grid = 10'000;
    const double needed = log_evidence_needed(confidence);
    int proven = 0;
    int open = grid;
    while (open - proven > 1) {
        const int middle = (proven + open) / 2;
        const bool holds = log_evidence(seen, static_cast<double>(middle) / grid) >= needed;
        (holds ? proven : open) = middle;
    }
    return static_cast<double>(proven) / grid;
}

double upper_bound(const Histogram& seen, double confidence) {
    return 1.0 - lower_bound(mirrored(seen), confidence);
}

std::optional<std::uint64_t> more_needed(const Histogram& seen, double m, double confidence) {
    const Bet bet = played(seen, m);
    const double needed = log_evidence_needed(confidence);
    if (bet.log_evidence() >= needed) {
        return 0;
    }
    const auto count = static_cast<double>(seen.count());
    if (count == 0 || bet.best() <= 0) {
        return std::nullopt;
    }
    // One stake of all has to carry the mean over them.
    const double missing = needed + std::log(double{stakes}) - bet.best();
    return static_cast<std::uint64_t>(std::ceil(std::max(1.0, missing / (bet.best() / count))));
}

}  // namespace veer::router::cutover
