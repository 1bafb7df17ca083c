#include "storage/sync/copy_pace.hpp"

#include <algorithm>

namespace veer::storage::sync {

CopyPace::Clock::duration CopyPace::take(std::uint64_t bytes, Clock::time_point now) {
    if (bytes_per_second_ == 0) {
        return Clock::duration::zero();
    }
    const std::chrono::duration<double> takes{
        static_cast<double>(bytes) / static_cast<double>(bytes_per_second_)};
    due_ = std::max(due_, now - std::chrono::milliseconds{100}) +
           std::chrono::duration_cast<Clock::duration>(takes);
    return std::max(due_ - now, Clock::duration::zero());
}

}  // namespace veer::storage::sync
