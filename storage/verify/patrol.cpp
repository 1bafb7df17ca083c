#include "storage/verify/patrol.hpp"

#include <algorithm>
#include <utility>

namespace veer::storage::verify {

namespace {

constexpr double piece_seconds = 10;
constexpr std::uint64_t piece_rows_min = 1'000;
constexpr std::chrono::seconds pause_min{1};
constexpr std::chrono::minutes again_after{1};
constexpr int tries = 5;

}  // namespace

std::optional<Patrol::Piece> Patrol::next(std::vector<TableOid> tables, Clock::time_point now) {
    if (options_.rows_per_second <= 0) {
        due_ = Clock::time_point::max();
        return std::nullopt;
    }
    if (now < due_) {
        return std::nullopt;
    }
    std::sort(tables.begin(), tables.end());
    if (!passing_) {
        passing_ = true;
        inside_ = false;
        pass_began_ = now;
        table_ = {};
    }
    const bool going_on = inside_ && std::binary_search(tables.begin(), tables.end(), table_);
    if (!going_on) {
        const auto following = std::upper_bound(tables.begin(), tables.end(), table_);
        if (following == tables.end()) {
            passing_ = false;
            due_ = std::max(pass_began_ + options_.pass_every, now + pause_min);
            return std::nullopt;
        }
        table_ = *following;
        inside_ = true;
        after_.reset();
    }
    const auto rows = static_cast<std::uint64_t>(options_.rows_per_second * piece_seconds);
    return Piece{table_, after_, std::max(rows, piece_rows_min)};
}

void Patrol::compared(std::uint64_t rows, std::optional<RowKey> end, Clock::time_point now) {
    const std::chrono::duration<double> pause{static_cast<double>(rows) / options_.rows_per_second};
    failures_ = 0;
    inside_ = end.has_value();
    after_ = std::move(end);
    due_ = now + std::max(
                     std::chrono::duration_cast<Clock::duration>(pause),
                     inside_ ? Clock::duration{pause_min} : Clock::duration{0}
                 );
}

void Patrol::failed(Clock::time_point now) {
    ++failures_;
    if (failures_ == tries) {
        failures_ = 0;
        inside_ = false;
    }
    due_ = now + std::min<Clock::duration>(again_after, options_.pass_every);
}

}  // namespace veer::storage::verify
