#include "proxy/session/reply_queue.hpp"

#include "proxy/wire/backend.hpp"

#include <algorithm>
#include <utility>

namespace veer::proxy::session {

namespace {

enum class Match : std::uint8_t { no, more, last };

/// Does a message of this type belong to what is awaited, and does it end it?
/// (manual 55.2.2, 55.2.3)
Match match(Awaited awaited, char type) {
    const auto one_of = [type](std::string_view last, std::string_view more) {
        if (last.find(type) != std::string_view::npos) {
            return Match::last;
        }
        return more.find(type) != std::string_view::npos ? Match::more : Match::no;
    };
    switch (awaited) {
        case Awaited::parse:
            return one_of("1", "");
        case Awaited::bind:
            return one_of("2", "");
        case Awaited::describe_statement:
            return one_of("Tn", "t");
        case Awaited::describe_portal:
            return one_of("Tn", "");
        case Awaited::execute:
            return one_of("CIs", "DdcGHW");
        case Awaited::close:
            return one_of("3", "");
        case Awaited::sync:
            return one_of("Z", "");
        case Awaited::query:
            return one_of("Z", "TDCIdcGHW");
        case Awaited::function_call:
            return one_of("Z", "V");
        case Awaited::copy_end:
        case Awaited::local:
        case Awaited::local_sync:
            return Match::no;
    }
    return Match::no;
}

bool is_barrier(Awaited awaited) {
    return awaited == Awaited::sync || awaited == Awaited::query ||
           awaited == Awaited::function_call;
}

bool runs_writer(const Expected& expected) {
    const bool runs = expected.awaited == Awaited::execute || expected.awaited == Awaited::query ||
                      expected.awaited == Awaited::function_call;
    return runs && !expected.plain;
}

/// Changes what a statement's name means, once its reply has come.
bool gives_name(const Expected& expected) {
    return expected.frees_name ||
           (expected.awaited == Awaited::parse && expected.fate == Fate::forward);
}

constexpr std::size_t minus_one = static_cast<std::size_t>(-1);  // wraps, as counts do

}  // namespace

void ReplyQueue::expect(Expected expected) {
    if (skipping_) {
        if (expected.awaited != Awaited::sync) {
            return;
        }
        skipping_ = false;
    }
    if (queue_.full()) {
        queue_.set_capacity(2 * queue_.capacity());
    }
    count(expected, 1);
    queue_.push_back(std::move(expected));
    drop_marks();
}

void ReplyQueue::count(const Expected& expected, std::size_t change) {
    if (is_barrier(expected.awaited)) {
        counts_.barriers += change;
    }
    if (runs_writer(expected)) {
        counts_.writers += change;
    }
    if (gives_name(expected)) {
        counts_.names += change;
    }
    if (expected.before != nullptr) {
        counts_.changes += change;
    }
}

void ReplyQueue::pop_front() {
    count(queue_.front(), minus_one);
    queue_.pop_front();
}

void ReplyQueue::drop(const Queue::iterator& first, const Queue::iterator& last) {
    std::for_each(first, last, [this](const Expected& expected) { count(expected, minus_one); });
    queue_.erase(first, last);
}

void ReplyQueue::drop_marks() {
    while (!queue_.empty() && queue_.front().awaited == Awaited::copy_end) {
        pop_front();
    }
}

bool ReplyQueue::has_barrier() const {
    return counts_.barriers > 0;
}

bool ReplyQueue::writer_pending() const {
    return counts_.writers > 0;
}

bool ReplyQueue::counting() const {
    return std::any_of(queue_.begin(), queue_.end(), [](const Expected& expected) {
        return expected.fate == Fate::count;
    });
}

bool ReplyQueue::only_preparation() const {
    return std::all_of(queue_.begin(), queue_.end(), [](const Expected& expected) {
        return expected.awaited == Awaited::parse || expected.awaited == Awaited::close ||
               expected.awaited == Awaited::describe_statement ||
               expected.awaited == Awaited::local;
    });
}

std::optional<std::shared_ptr<const PreparedStatement>> ReplyQueue::pending_statement(
    std::string_view name
) const {
    if (counts_.names == 0) {
        return std::nullopt;
    }
    const auto found = std::find_if(queue_.rbegin(), queue_.rend(), [&](const Expected& expected) {
        return gives_name(expected) && !expected.superseded && expected.name == name;
    });
    return found == queue_.rend() ? std::nullopt : std::optional(found->statement);
}

void ReplyQueue::supersede(std::string_view name) {
    if (counts_.names == 0) {
        return;
    }
    for (Expected& expected : queue_) {
        expected.superseded = expected.superseded || expected.name == name;
    }
}

std::optional<Reply> ReplyQueue::on_message(char type) {
    if (queue_.empty()) {
        return std::nullopt;
    }
    Expected& head = queue_.front();
    const Match matched = match(head.awaited, type);
    if (matched == Match::no) {
        return std::nullopt;
    }
    Reply reply{
        .fate = head.fate,
        .awaited = head.awaited,
        .last = matched == Match::last,
        .plain = head.plain};
    if (type == 'C' || type == 's') {
        reply.notice = std::exchange(head.notice, {});
        reply.name = head.name;
    }
    if (reply.last) {
        reply.statement = std::move(head.statement);
        reply.superseded = head.superseded;
        count(head, minus_one);
        reply.name = std::move(head.name);
        reply.frees_name = head.frees_name;
        queue_.pop_front();
        drop_marks();
    }
    return reply;
}

Failure ReplyQueue::on_error() {
    if (queue_.empty()) {
        return {};
    }
    Failure failure{
        .fate = queue_.front().fate,
        .wording = queue_.front().wording,
        .may_have_written = runs_writer(queue_.front())};
    if (is_barrier(queue_.front().awaited)) {
        return failure;  // ReadyForQuery follows
    }
    const auto sync = std::find_if(queue_.begin(), queue_.end(), [](const Expected& expected) {
        return expected.awaited == Awaited::sync;
    });
    skipping_ = sync == queue_.end();
    const auto changed = std::find_if(queue_.begin() + 1, sync, [](const Expected& expected) {
        return expected.before != nullptr;
    });
    if (changed != sync) {
        failure.before = changed->before;
    }
    drop(queue_.begin(), sync);
    return failure;
}

bool ReplyQueue::on_copy_in() {
    const auto end = std::find_if(queue_.begin(), queue_.end(), [](const Expected& expected) {
        return expected.awaited == Awaited::copy_end;
    });
    const bool ended = end != queue_.end();
    const bool asked = !queue_.empty() && (queue_.front().awaited == Awaited::execute ||
                                           queue_.front().awaited == Awaited::query);
    if (asked) {
        drop(queue_.begin() + 1, ended ? end + 1 : end);
    }
    return ended;
}

bool ReplyQueue::take_local(std::string& out, char status) {
    if (queue_.empty()) {
        return false;
    }
    if (queue_.front().awaited == Awaited::local) {
        out += queue_.front().bytes;
    } else if (queue_.front().awaited == Awaited::local_sync) {
        wire::write_ready_for_query(out, status);
    } else {
        return false;
    }
    pop_front();
    drop_marks();
    return true;
}

}  // namespace veer::proxy::session
