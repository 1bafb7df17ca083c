#include "proxy/compare/background.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <thread>

namespace veer::proxy::compare {

namespace {

constexpr int niceness = 10;

std::int64_t thread_ns() {
    constexpr std::int64_t a_second = 1'000'000'000;
    std::timespec spent{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return static_cast<std::int64_t>(spent.tv_sec) * a_second + spent.tv_nsec;
}

router::compare::Pace::Clocks clocks() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return {
        .now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count(),
        .spent_ns = thread_ns()};
}

}  // namespace

void give_way() {
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness);
}

double thread_seconds() {
    return static_cast<double>(thread_ns()) / 1e9;
}

void Flight::rested(std::chrono::nanoseconds time) {
    const std::int64_t uncounted = time.count() - router::compare::LoadBudget::rest_counted_ns;
    spared_ns_ += std::max<std::int64_t>(0, uncounted);
}

std::int64_t Flight::in_flight_ns() const {
    const auto passed = std::chrono::steady_clock::now() - begun_;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(passed).count() - spared_ns_;
}

Slices::Slices(double share, Flight& flight) : pace_(share, clocks()), flight_(flight) {}

void Slices::breathe() {
    const std::int64_t rest = pace_.rest_ns(clocks());
    if (rest > 0) {
        const auto begun = std::chrono::steady_clock::now();
        std::this_thread::sleep_for(std::chrono::nanoseconds(rest));
        flight_.rested(std::chrono::steady_clock::now() - begun);
        pace_.begin(clocks());
    }
}

}  // namespace veer::proxy::compare
