#include "storage/sync/history_check.hpp"

namespace veer::storage::sync {

namespace {

store::Landmark landmark_of(const source::pgoutput::Begin& begin) {
    return {begin.final_lsn, begin.timestamp, begin.xid};
}

}  // namespace

HistoryCheck::HistoryCheck(const store::History& history, Lsn applied, Lsn confirmed_flush)
    : landmark_{history.landmark},
      applied_{applied},
      state_{
          history.landmark == store::Landmark{}           ? State::proven
          : confirmed_flush > history.landmark.commit_lsn ? State::before_applied
                                                          : State::before_landmark} {}

Result<bool> HistoryCheck::take(const source::pgoutput::Begin& begin) {
    const std::string place = to_string(begin.final_lsn);
    if (state_ == State::before_landmark) {
        if (landmark_of(begin) != landmark_) {
            return another_history("the transaction at " + place + " is another one");
        }
        state_ = State::before_applied;
        return false;
    }
    if (state_ == State::before_applied) {
        if (begin.final_lsn < applied_) {
            return another_history("it has a transaction at " + place + " that was not there");
        }
        state_ = State::proven;
    }
    return true;
}

void HistoryCheck::take_empty(const source::pgoutput::Begin& begin) {
    if (state_ == State::before_landmark && landmark_of(begin) == landmark_) {
        state_ = State::before_applied;
    }
}

Result<void> HistoryCheck::passed(Lsn position) {
    if (state_ == State::before_landmark && position > landmark_.commit_lsn) {
        return another_history(
            "the transaction at " + to_string(landmark_.commit_lsn) + " is not there any more"
        );
    }
    if (state_ == State::before_applied && position >= applied_) {
        state_ = State::proven;
    }
    return {};
}

Error HistoryCheck::another_history(const std::string& what) const {
    return {
        Errc::gone,
        "The upstream has another history than the copy, which reached " + to_string(applied_) +
            ": " + what + "; it was restored from a backup, or a standby took over."};
}

}  // namespace veer::storage::sync
