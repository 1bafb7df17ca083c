#include "proxy/cutover_course.hpp"

#include "proxy/verify_audit.hpp"

#include <spdlog/spdlog.h>

#include <string>
#include <utility>

namespace veer::proxy {

namespace {

using router::cutover::Command;
using router::cutover::Duration;
using router::cutover::Reply;
using router::cutover::Time;
using router::cutover::Verb;

constexpr std::chrono::milliseconds tick_every{100};

}  // namespace

CutoverCourse::CutoverCourse(
    boost::asio::io_context& context,
    router::cutover::Control& control,
    const std::filesystem::path& directory
)
    : control_(control),
      files_(directory),
      timer_(context),
      wall_(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())),
      steady_(std::chrono::steady_clock::now()) {
    control_.connect(
        {.save_state = [this](const std::string& text) { return files_.save_state(text); },
         .append_audit = [this](const std::string& line) { return files_.append_audit(line); },
         .hash = audit_hash,
         .wake =
             [this] {
                 wake();
             }}
    );
}

Time CutoverCourse::now() const {
    return wall_ + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - steady_);
}

void CutoverCourse::restore() {
    StateFiles::Found found = files_.read();
    if (found.state.empty() && !found.problem.empty()) {
        found.state = found.problem;  // no state at all: to be taken for one that is broken
    }
    std::string problem = control_.restore(found.state, found.last_audit, now());
    if (!problem.empty() || !found.problem.empty()) {
        spdlog::error("cutover.state: {}{}", found.problem, problem);
    }
    control_.set_panic_file(files_.panic_file(), now());
    if (control_.panic()) {
        spdlog::warn("panic is on: all searches go to Postgres");
    }
    log_notices();
}

void CutoverCourse::restore_if_unreadable() {
    if (control_.unreadable()) {
        restore();
    }
}

void CutoverCourse::start(std::function<void(Time)> sample) {
    sample_ = std::move(sample);
    writer_ = std::thread([this] { write(); });
    await_tick();
}

void CutoverCourse::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    if (writer_.joinable()) {
        writer_.join();
        control_.store_all();
        log_notices();
    }
}

void CutoverCourse::wake() {
    {
        const std::lock_guard lock(mutex_);
        wanted_ = true;
    }
    changed_.notify_one();
}

void CutoverCourse::write() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        changed_.wait(lock, [this] { return wanted_ || stopping_; });
        wanted_ = false;
        lock.unlock();
        control_.store();
        lock.lock();
    }
}

void CutoverCourse::await_tick() {
    timer_.expires_after(tick_every);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            tick();
            await_tick();
        }
    });
}

void CutoverCourse::tick() {
    control_.set_panic_file(files_.panic_file(), now());
    sample_(now());
    control_.tick(now());
    log_notices();
}

void CutoverCourse::log_notices() {
    for (const std::string& notice : control_.take_notices()) {
        spdlog::warn("cutover: {}", notice);
    }
}

void CutoverCourse::toggle_panic() {
    // One that is being taken back, but is not stored yet, is asked for again.
    const bool ends = control_.panic() && !control_.unpanicking();
    const Verb verb = ends ? Verb::unpanic : Verb::panic;
    const auto tell = [](const Reply& reply) {
        spdlog::warn("SIGUSR2: {} {}", reply.message, reply.next_step);
    };
    control_.apply(
        {.verb = verb}, std::nullopt, {.name = "somebody", .via = "signal"}, now(), tell
    );
}

}  // namespace veer::proxy
