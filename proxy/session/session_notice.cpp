#include "proxy/session/session.hpp"
#include "proxy/session/statement_text.hpp"
#include "proxy/wire/backend.hpp"
#include "router/notice.hpp"

#include <utility>

// What a client is told of its searches: with EXPLAIN, and with SET veer.notice = on.

namespace veer::proxy::session {

namespace {

std::string message_of(const router::Notice& notice) {
    std::string bytes;
    wire::write_notice(bytes, notice.message, notice.detail);
    return bytes;
}

bool wants_searches(const std::optional<router::NoticeSettings>& notices) {
    return notices && notices->heard && notices->searches;
}

/// What an EXPLAIN is told of without being asked for.
bool is_managed(const router::Route* route) {
    return route != nullptr && route->traffic->cause() != router::cutover::Cause::off;
}

}  // namespace

std::string PendingNotice::take(const wire::Frame& frame) {
    if (bytes_.empty() || simple_ != (frame.type == 'Q')) {
        return {};
    }
    if (!simple_) {
        const auto execute = wire::decode_execute(frame.payload);
        if (!execute || execute->portal != portal_) {
            return {};
        }
    }
    return std::exchange(bytes_, {});
}

/// Fills in what the text says, and what it says of another statement.
void Session::read(PreparedStatement& statement, wire::Bytes text) {
    statement.statement = router_.read(text);
    if (statement.statement.search() != nullptr) {
        return;
    }
    if (auto explained = router_.read_explained(text)) {
        auto inner = std::make_shared<PreparedStatement>();
        inner->name = statement.name;
        inner->parameter_types = statement.parameter_types;
        inner->wording = statement.wording;
        inner->statement = *std::move(explained);
        statement.explained = std::move(inner);
    }
}

/// True where a statement that Postgres answers anyway is held until veer knows what to say of it.
/// An EXPLAIN becomes an attempt at the statement that it is about.
bool Session::holds_to_tell(Attempt& attempt, router::Reason why, const wire::Bind* bind) {
    if (transaction_ == 'E') {
        return false;
    }
    attempt.settled = why;
    if (attempt.statement->explained == nullptr) {
        return notices_touched_ && !facts_.notices();
    }
    Attempt foreseen;
    foreseen.simple = attempt.simple;
    foreseen.started = attempt.started;
    foreseen.portal = attempt.portal;
    foreseen.statement = attempt.statement->explained;
    foreseen.settled = why;
    foreseen.explains = true;
    foreseen.told = prepare(foreseen, bind);
    foreseen.observed.reset();
    const bool tells = notices_touched_ || is_managed(foreseen.route);
    if (tells) {
        attempt = std::move(foreseen);
    }
    return tells;
}

/// True where the attempt's next step is about notices only.
bool Session::consider_notices(Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    const bool concerned = notices_touched_ || attempt.settled;
    const bool may_ask = !facts_broken_ || (transaction_ == 'I' && attempt.alone);
    const bool known = facts_.notices() && !replies_.writer_pending();
    if (concerned && !known && may_ask) {
        attempt.asks_notices = true;
        ask(std::string(router::notice_query()), out);
        return true;
    }
    attempt.notices = known ? facts_.notices() : std::nullopt;
    if (attempt.settled && (!attempt.explains || attempt.told)) {
        pass(attempt.told.value_or(*attempt.settled), now, out);
        return true;
    }
    return false;
}

void Session::on_notices_ready(bool failed, Instant now, Output& out) {
    attempt_->asks_notices = false;
    const auto row = failed ? std::nullopt : wire::decode_data_row(facts_row_);
    facts_.put(row ? router::decode_notice_settings(*row) : router::NoticeSettings{});
    consider(now, out);
    drain_inbox(now, out);
}

/// What would become of the attempt's statement, if it were sent by itself.
router::Reason Session::foresee() {
    if (const auto why = choose_service()) {
        return *why;
    }
    const Attempt& attempt = *attempt_;
    if (router::unplaced_rows_lead(*attempt.route, attempt.query())) {
        return router::reason::unplaced_rows;
    }
    if (attempt.service == router::Service::local) {
        return router::reason::local;
    }
    if (attempt.query().may_raise && transaction_ != 'I') {
        return router::reason::may_raise;
    }
    return refuse_candidates(first_candidates()).value_or(router::reason::rewrite);
}

void Session::tell_of_explain(Attempt& attempt, router::Reason why) {
    const auto& notices = attempt.notices;
    const bool wanted = notices && notices->heard && is_managed(attempt.route);
    if (wanted || wants_searches(notices)) {
        notice_.put(
            message_of(router::notice_of_explain(why, attempt.route)),
            attempt.simple,
            attempt.portal
        );
    }
    attempt.route = nullptr;  // the EXPLAIN itself is no search of it
}

void Session::tell_of_passed(const Attempt& attempt, router::Reason why) {
    if (attempt.explains) {
        return;
    }
    const bool wanted = wants_searches(attempt.notices ? attempt.notices : facts_.notices());
    notice_.put(
        wanted ? message_of(router::notice_of_search(why, attempt.route)) : std::string(),
        attempt.simple,
        attempt.portal
    );
}

/// The NoticeResponse of a search that veer answers; empty where nobody wants to hear of it.
std::string Session::notice_of_answer(router::Reason why) const {
    return wants_searches(attempt_->notices)
               ? message_of(router::notice_of_search(why, attempt_->route))
               : std::string();
}

}  // namespace veer::proxy::session
