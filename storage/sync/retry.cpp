#include "storage/sync/retry.hpp"

#include <algorithm>
#include <utility>

namespace veer::storage::sync {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds delay_min{200};
constexpr milliseconds delay_max{10'000};
constexpr milliseconds copy_delay_min{10'000};
constexpr milliseconds copy_delay_max{3'600'000};

}  // namespace

milliseconds Retry::after(const Life& life) {
    // A full disk lets the stream begin, and fails again at the first write.
    const bool worked =
        life.streamed > milliseconds{0} && life.streamed >= delay_ && life.ended != Errc::disk;
    delay_ = worked ? delay_min : std::clamp(delay_ * 2, delay_min, delay_max);
    switch (life.ended) {
        case Errc::gone:
            return copy_again(life);
        case Errc::not_permitted:
            return poll_;
        case Errc::connection:
        case Errc::disk:
        case Errc::unexpected:
            break;
    }
    return delay_;
}

milliseconds Retry::copy_again(const Life& life) {
    if (life.complete > milliseconds{0} && life.complete >= life.copying) {
        copy_delay_ = milliseconds{0};
    } else if (life.dropped) {
        copy_delay_ = std::max(copy_delay_, copy_delay_min);
    }
    return std::exchange(copy_delay_, std::clamp(copy_delay_ * 2, copy_delay_min, copy_delay_max));
}

}  // namespace veer::storage::sync
