#include "storage/sync/stumble.hpp"

#include <algorithm>

namespace veer::storage::sync {

namespace {

using std::chrono::milliseconds;

constexpr int times_max = 3;
constexpr milliseconds wait_min{10'000};
constexpr milliseconds wait_max{3'600'000};

}  // namespace

Stumble::Verdict Stumble::judge(const Error& error, Lsn position, Clock::time_point now) {
    if (error.code != Errc::unexpected) {
        return {error};
    }
    const bool again = times_ > 0 && position == position_ && error.message == message_;
    times_ = again ? times_ + 1 : 1;
    position_ = position;
    message_ = error.message;
    if (times_ < times_max) {
        return {error};
    }
    times_ = 0;
    const bool calm = wait_ == milliseconds{0} || now - copied_ > wait_max + wait_;
    const milliseconds wait = calm ? milliseconds{0} : wait_;
    wait_ = calm ? wait_min : std::min(wait_ * 2, wait_max);
    copied_ = now;
    return {
        {Errc::gone,
         "The stream behind " + to_string(position) + " cannot be applied, tried " +
             std::to_string(times_max) + " times; the tables are copied again. " + error.message},
        wait};
}

}  // namespace veer::storage::sync
