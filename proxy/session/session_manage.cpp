#include "proxy/session/session.hpp"
#include "proxy/wire/backend.hpp"

#include <utility>

// Statements that make or drop an index of veer's own. Postgres has no part in them but to say what
// names mean and who may do it, and to refuse what is refused: with its own effect on the
// transaction, in the words of a Complaint.
//
//     Query ─▶ ask ─▶ Postgres' own ─────▶ as ever
//                └──▶ refused ───────────▶ a text that cannot be parsed, worded
//                └──▶ to be stored ──────▶ (another thread) ──▶ NOTICE, CommandComplete
//     Parse ─▶ ask ─▶ Postgres' own ─────▶ as ever
//                └──▶ remembered; Bind and Describe are answered here (session_local.cpp)
//     Execute ─▶ ask ─▶ refused | done, as a Query is

namespace veer::proxy::session {

namespace {

/// Whatever the settings and the catalogue, a syntax error; and it makes no statement of its name.
constexpr wire::Bytes refused_text = "veer has refused the statement";
constexpr wire::Bytes refused_statement = "veer_refused";

wire::Frame frame_of(const std::string& bytes) {
    wire::FrameHeader header;
    wire::peek_header(bytes, header);
    return wire::frame_at(bytes, header);
}

void write_no_data(std::string& out) {
    out.append("n\0\0\0\4", 5);
}

std::string result_of(const router::ManagementChange& change) {
    return router::route_name(change.declaration);
}

}  // namespace

/// Nothing: the frame goes its way as it is.
std::optional<Session::Taken> Session::manage(
    const wire::Frame& frame, wire::Bytes text, Instant now, Output& out
) {
    const router::Declarations* const declarations = router_.declarations();
    if (declarations == nullptr || !standard_strings_ || !parser::may_manage(text)) {
        return std::nullopt;
    }
    auto management = parser::read_management(text, [declarations](std::string_view name) {
        return declarations->has_index(name);
    });
    if (!management) {
        return std::nullopt;
    }
    if (replies_.has_barrier()) {
        return Taken::stall;
    }
    const bool simple = frame.type == 'Q';
    const bool alone = replies_.empty() && !batch_upstream_;
    if (!simple && !has_room_for(wire::parsed_statement(frame.payload))) {
        return std::nullopt;  // for Postgres to refuse
    }
    if (transaction_ == 'E' || (simple && !alone) ||
        (facts_broken_ && (transaction_ != 'I' || !alone))) {
        return std::nullopt;
    }
    auto statement = std::make_shared<PreparedStatement>();
    statement->management = std::make_shared<const parser::Management>(*std::move(management));
    ask_management(frame, std::move(statement), alone, now, out);
    return Taken::yes;
}

/// Nothing where the portal is of another statement.
std::optional<Session::Taken> Session::execute_management(
    const wire::Frame& frame, Instant now, Output& out
) {
    const auto execute = wire::decode_execute(frame.payload);
    const LocalPortal* const portal = portals_.find(execute->portal);
    if (portal == nullptr || portal->statement() == nullptr ||
        portal->statement()->management == nullptr) {
        return std::nullopt;
    }
    const auto statement = portal->statement();
    portals_.erase(execute->portal);
    const bool alone = !batch_bound_ && replies_.only_preparation();
    if (transaction_ == 'I' && alone && !facts_broken_) {
        ask_management(frame, statement, alone, now, out);
        return Taken::yes;
    }
    router::Complaint why = router::refuse_in_transaction(*statement->management);
    if (transaction_ == 'E') {
        why = {
            "25P02",
            "current transaction is aborted, commands ignored until end of transaction block",
            {}};
    } else if (transaction_ == 'I' && alone) {
        why = {"55000", "veer could not ask PostgreSQL about the statement", {}};
    }
    Attempt attempt;
    attempt.held = frame.whole;
    attempt.statement = statement;
    refuse_management(attempt, why, out);
    return Taken::yes;
}

void Session::ask_management(
    const wire::Frame& frame,
    std::shared_ptr<const PreparedStatement> statement,
    bool alone,
    Instant now,
    Output& out
) {
    Attempt attempt;
    attempt.simple = frame.type == 'Q';
    attempt.alone = alone;
    attempt.asks_management = true;
    attempt.started = now;
    attempt.held = frame.whole;
    attempt.statement = std::move(statement);
    const auto question = router::management_query(
        *attempt.statement->management, *router_.declarations()->all(), utf8_
    );
    if (!question) {
        refuse_management(attempt, router::refuse_encoding(), out);
        return;
    }
    attempt_ = std::move(attempt);
    ask(*question, out);
}

router::ManagementDecision Session::decide_management(const Attempt& attempt, bool failed) const {
    const auto row = failed ? std::nullopt : wire::decode_data_row(facts_row_);
    return router::decide_management(
        *attempt.statement->management,
        row.value_or(router::ManagementRow()),
        *router_.declarations()->all(),
        {.database = router_.declarations()->database(), .in_transaction = transaction_ != 'I'}
    );
}

/// Postgres cannot be given what only veer has seen prepared.
router::ManagementDecision Session::decide_executed(const Attempt& attempt, bool failed) const {
    const auto row = failed ? std::nullopt : wire::decode_data_row(facts_row_);
    return router::decide_gone(
        *attempt.statement->management, row.value_or(router::ManagementRow())
    );
}

void Session::on_management_ready(bool failed, Instant now, Output& out) {
    Attempt attempt = std::move(*attempt_);
    attempt_.reset();
    const wire::Frame frame = frame_of(attempt.held);
    if (batch_failed_) {
        skip_management(out);
        drain_inbox(now, out);
        return;
    }
    if (!facts_error_.empty()) {
        refuse_management(attempt, said_by(facts_error_), out);
        drain_inbox(now, out);
        return;
    }
    auto decision = decide_management(attempt, failed);
    if (frame.type == 'E' && std::holds_alternative<router::ToPostgres>(decision)) {
        decision = decide_executed(attempt, failed);
    }
    const auto* const refused = std::get_if<router::Complaint>(&decision);
    const auto* const change = std::get_if<router::ManagementChange>(&decision);
    if (refused == nullptr && change == nullptr) {
        if (const Taken taken = take_text(frame, nullptr, now, out); taken != Taken::yes) {
            inbox_ = attempt.held + inbox_;
            stalled_ = taken == Taken::stall;
        }
    } else if (frame.type == 'P') {
        remember_management(attempt, out);
    } else if (refused != nullptr) {
        refuse_management(attempt, *refused, out);
    } else {
        store(std::move(attempt), *change, out);
    }
    drain_inbox(now, out);
}

/// What of Postgres' a Parse is answered with; all else is said at Execute.
void Session::remember_management(const Attempt& attempt, Output& out) {
    const auto parse = wire::decode_parse(frame_of(attempt.held).payload);
    auto statement = std::make_shared<PreparedStatement>();
    statement->name = parse->statement;
    statement->management = attempt.statement->management;
    statements_.insert_or_assign(statement->name, statement);
    replies_.supersede(statement->name);
    if (statement->name.empty()) {
        unnamed_.lose_statement();
    }
    batch_local_ = true;
    std::string complete;
    wire::write_parse_complete(complete);
    emit_local(std::move(complete), out);
}

/// The client's further messages wait meanwhile; other sessions do not.
void Session::store(Attempt attempt, const router::ManagementChange& change, Output& out) {
    using Kind = router::ManagementChange::Kind;
    if (change.kind == Kind::nothing) {
        tell_managed(attempt, change, out);
        return;
    }
    attempt_ = std::move(attempt);
    attempt_->stage = Attempt::Stage::storing;
    attempt_->change = change;
    out.change = PendingChange{
        .number = ++changes_,
        .make = [declarations = router_.declarations(),
                 adds = change.kind == Kind::add,
                 declaration = change.declaration] {
            return adds ? declarations->add(declaration) : declarations->remove(declaration);
        }};
}

void Session::on_changed(
    std::uint64_t number, const std::optional<router::Complaint>& why, Instant now, Output& out
) {
    if (!attempt_ || attempt_->stage != Attempt::Stage::storing || number != changes_) {
        return;
    }
    const Attempt attempt = std::move(*attempt_);
    attempt_.reset();
    if (why) {
        refuse_management(attempt, *why, out);
    } else {
        tell_managed(attempt, *attempt.change, out);
    }
    emit_due(out);
    drain_inbox(now, out);
}

/// That it is done.
void Session::tell_managed(
    const Attempt& attempt, const router::ManagementChange& change, Output& out
) {
    const parser::Management& management = *attempt.statement->management;
    const bool rows = !router::output_of(management).empty();
    std::string answer;
    if (attempt.simple && rows) {
        answer = management_answer(management).row_description;
    }
    if (!change.notice.empty()) {
        wire::write_notice(answer, change.notice, change.detail);
    }
    if (rows) {
        wire::write_data_row(answer, std::vector<std::string>{result_of(change)});
    }
    wire::write_command_complete(answer, router::tag_of(management));
    if (!attempt.simple) {
        batch_local_ = true;
        emit_local(std::move(answer), out);
        return;
    }
    out.to_client += answer;
    wire::write_ready_for_query(out.to_client, transaction_);
    forget_unnamed();
}

void Session::refuse_management(const Attempt& attempt, const router::Complaint& why, Output& out) {
    router::Complaint whole = why;
    whole.whole = true;
    auto wording = std::make_shared<const router::Complaint>(std::move(whole));
    if (attempt.simple) {
        std::string bytes;
        wire::write_query(bytes, refused_text);
        wording_ = std::move(wording);
        forward(frame_of(bytes), out);
        return;
    }
    wire::write_parse(out.to_server, refused_statement, refused_text, {});
    batch_upstream_ = true;
    wording_ = std::move(wording);
    expect(Awaited::parse, Fate::swallow);
}

/// The client has been told of an error in the batch: the rest of it is to be skipped, as Postgres
/// would have skipped it without veer's own Sync in between.
void Session::skip_management(Output& out) {
    wire::write_parse(out.to_server, refused_statement, refused_text, {});
    batch_upstream_ = true;
    expect(Awaited::parse, Fate::ignore);
}

/// What is described before it is done; without rows.
LocalAnswer Session::management_answer(const parser::Management& management) {
    const std::string output(router::output_of(management));
    if (!output.empty()) {
        return to_messages(std::vector<std::string>{output}, {});
    }
    LocalAnswer answer;
    write_no_data(answer.row_description);
    return answer;
}

}  // namespace veer::proxy::session
