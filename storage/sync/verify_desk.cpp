#include "storage/sync/verify_desk.hpp"

#include <algorithm>
#include <utility>

namespace veer::storage::sync {

namespace {

std::vector<TableVerdict> refused(const std::string& why) {
    TableVerdict verdict;
    verdict.trouble = why;
    return {verdict};
}

}  // namespace

void VerifyDesk::ask(VerifyRequest request, VerifyDone done) {
    std::string why;
    {
        const std::scoped_lock lock{mutex_};
        if (open_ && asked_.size() < requests_max) {
            asked_.push_back({request, std::move(done)});
            changed_.notify_all();
            return;
        }
        why = open_ ? "Too many comparisons wait already." : why_closed_;
    }
    done(refused(why));
}

std::vector<VerifiedTable> VerifyDesk::counted() const {
    const std::scoped_lock lock{mutex_};
    return counted_;
}

void VerifyDesk::open() {
    const std::scoped_lock lock{mutex_};
    open_ = true;
}

void VerifyDesk::close(const std::string& why) {
    std::deque<Asked> left;
    {
        const std::scoped_lock lock{mutex_};
        open_ = false;
        answering_ = false;
        why_closed_ = why;
        std::swap(asked_, left);
    }
    changed_.notify_all();
    for (const Asked& each : left) {
        each.done(refused(why));
    }
}

bool VerifyDesk::is_open() const {
    const std::scoped_lock lock{mutex_};
    return open_;
}

std::optional<VerifyRequest> VerifyDesk::next(Clock::time_point until) {
    std::unique_lock lock{mutex_};
    const auto ready = [this] {
        return !open_ || !asked_.empty();
    };
    if (until == Clock::time_point::max()) {
        changed_.wait(lock, ready);  // wait_until() may overflow
    } else {
        changed_.wait_until(lock, until, ready);
    }
    if (!open_ || asked_.empty()) {
        return std::nullopt;
    }
    answering_ = true;
    return asked_.front().request;
}

void VerifyDesk::answer(std::vector<TableVerdict> verdicts) {
    VerifyDone done;
    {
        const std::scoped_lock lock{mutex_};
        if (!answering_) {
            return;  // close() has answered
        }
        answering_ = false;
        done = std::move(asked_.front().done);
        asked_.pop_front();
    }
    done(std::move(verdicts));
}

void VerifyDesk::count(
    const TableVerdict& verdict, bool whole, std::chrono::system_clock::time_point now
) {
    const std::scoped_lock lock{mutex_};
    auto found = std::find_if(counted_.begin(), counted_.end(), [&](const VerifiedTable& each) {
        return each.oid == verdict.oid;
    });
    if (found == counted_.end()) {
        VerifiedTable fresh;
        fresh.oid = verdict.oid;
        found = counted_.insert(counted_.end(), std::move(fresh));
    }
    found->name = verdict.name;
    found->rows += verdict.rows;
    found->differences += verdict.differences;
    found->repaired += verdict.repaired;
    found->trouble = verdict.trouble;
    if (whole) {
        ++found->passes;
        found->passed_at = now;
    }
}

}  // namespace veer::storage::sync
