#include "proxy/session/session.hpp"
#include "proxy/session/statement_text.hpp"
#include "proxy/wire/backend.hpp"

namespace veer::proxy::session {

namespace {

constexpr std::size_t statements_max = 10'000;

/// Messages that are relayed without being looked at, in parts if need be.
bool streams(char type) {
    return type == 'd';
}

bool names_unnamed_statement(const wire::Frame& frame) {
    if (frame.type == 'B') {
        const auto bind = wire::decode_bind(frame.payload);
        return bind && bind->statement.empty();
    }
    const auto target = frame.type == 'D' ? wire::decode_target(frame.payload) : std::nullopt;
    return target && target->kind == 'S' && target->name.empty();
}

}  // namespace

Session::Session(
    SessionOptions options, router::Router& router, const wire::StartupMessage& startup
)
    : options_(options), router_(router) {
    const std::string replication = startup.parameter("replication");
    const bool sql_only = replication.empty() || replication == "false" || replication == "off" ||
                          replication == "no" || replication == "0";
    if (!sql_only || startup.major != 3) {
        state_ = State::raw;
    }
    settings_touched_ = mentions_veer_setting(startup.parameter("options"));
    for (const auto& [name, value] : startup.parameters) {
        settings_touched_ = settings_touched_ || mentions_veer_setting(name);
    }
}

void Session::on_client(wire::Bytes bytes, Instant now, Output& out) {
    if (state_ != State::open) {
        out.to_server += bytes;
        return;
    }
    if (inbox_.empty() && !paused()) {
        const std::size_t taken = process(bytes, now, out);
        inbox_ = bytes.substr(taken);
        return;
    }
    inbox_ += bytes;
    drain_inbox(now, out);
}

void Session::drain_inbox(Instant now, Output& out) {
    if (inbox_.empty() || paused() || state_ == State::starting) {
        return;
    }
    // process() may grow the buffer's neighbours, never the buffer itself.
    const std::string bytes = std::move(inbox_);
    inbox_.clear();
    const std::size_t taken = process(bytes, now, out);
    inbox_ = bytes.substr(taken);
}

std::size_t Session::process(wire::Bytes bytes, Instant now, Output& out) {
    std::size_t at = 0;
    while (at < bytes.size() && !paused()) {
        const wire::Bytes rest = bytes.substr(at);
        if (state_ == State::raw) {
            out.to_server += rest;
            return bytes.size();
        }
        if (passing_ > 0) {
            at += pass_part(rest, out);
            continue;
        }
        wire::FrameHeader header;
        const wire::FrameStatus status = wire::peek_header(rest, header);
        if (status == wire::FrameStatus::incomplete) {
            break;
        }
        if (status == wire::FrameStatus::malformed || !wire::is_frontend_type(header.type)) {
            // Postgres shall say what it thinks of it; there is no way back into step.
            if (attempt_) {
                pass(router::reason::pipelined, now, out);
            }
            state_ = State::raw;
            continue;
        }
        if (header.whole_bytes > options_.inspected_bytes_max || streams(header.type)) {
            if (attempt_) {
                pass(router::reason::pipelined, now, out);
            }
            pass_uninspected(header, out);
            continue;
        }
        if (rest.size() < header.whole_bytes) {
            break;
        }
        if (on_client_frame(wire::frame_at(rest, header), now, out) == Taken::stall) {
            stalled_ = true;
            break;
        }
        at += header.whole_bytes;
    }
    return at;
}

std::size_t Session::pass_part(wire::Bytes bytes, Output& out) {
    const wire::Bytes part = bytes.substr(0, passing_);
    out.to_server += part;
    passing_ -= part.size();
    return part.size();
}

void Session::pass_uninspected(const wire::FrameHeader& header, Output& out) {
    const wire::Frame unseen{.type = header.type, .payload = {}, .whole = {}};
    if (header.type == 'P') {
        calls_seen_ = true;
        unnamed_stale_ = false;  // it may be the unnamed statement that it replaces
    } else if (header.type == 'B') {
        portals_.clear();  // it may be bound to the name of one of veer's own
    } else if (header.type == 'Q') {
        statements_.erase("");
        unnamed_stale_ = false;
    }
    expect_reply_to(unseen, false);
    passing_ = header.whole_bytes;
    emit_due(out);
}

Session::Taken Session::on_client_frame(const wire::Frame& frame, Instant now, Output& out) {
    if (attempt_) {
        collect(frame, now, out);
        return Taken::yes;
    }
    switch (frame.type) {
        case 'Q':
            return on_query(frame, now, out);
        case 'P':
            return on_parse(frame, out);
        case 'B':
            return on_bind(frame, now, out);
        case 'D':
        case 'E':
        case 'C':
            if (on_local_frame(frame, out)) {
                return Taken::yes;
            }
            break;
        case 'S':
            on_sync(frame, out);
            return Taken::yes;
        case 'c':
        case 'f':
            copy_in_ = false;
            break;
        case 'X':
            fatal_seen_ = true;  // the server closes without a word, and so does veer
            break;
        default:
            break;
    }
    forward(frame, out);
    return Taken::yes;
}

Session::Taken Session::on_query(const wire::Frame& frame, Instant now, Output& out) {
    const auto query = wire::decode_query(frame.payload);
    if (!query || copy_in_ || replies_.skipping()) {
        forward(frame, out);
        return Taken::yes;
    }
    const bool aborted = transaction_ == 'E' && replies_.empty();
    if (const auto relation = shown_relation(query->text); relation && !aborted) {
        if (!replies_.empty() || batch_upstream_) {
            return replies_.has_barrier() ? Taken::stall : (forward(frame, out), Taken::yes);
        }
        const LocalAnswer answer = answer_relation_named(*relation);
        out.to_client += answer.row_description + answer.rows;
        wire::write_ready_for_query(out.to_client, transaction_);
        statements_.erase("");
        unnamed_stale_ = true;
        return Taken::yes;
    }
    if (!router::may_be_search(query->text)) {
        note_text(query->text);
        forward(frame, out);
        return Taken::yes;
    }
    Attempt attempt;
    attempt.simple = true;
    attempt.started = now;
    auto statement = std::make_shared<PreparedStatement>();
    statement->statement = router_.read(query->text);
    attempt.statement = statement;
    const auto why = prepare(attempt, nullptr);
    if (!why && replies_.has_barrier()) {
        return Taken::stall;
    }
    statements_.erase("");
    if (why || !replies_.empty() || batch_upstream_) {
        note_text(query->text);
        note_passed(why.value_or(router::reason::pipelined), attempt.route, now);
        if (attempt.statement->statement.search() != nullptr) {
            forward_search(frame, out);
        } else {
            forward(frame, out);
        }
        return Taken::yes;
    }
    attempt.held = frame.whole;
    attempt_ = std::move(attempt);
    consider(now, out);
    return Taken::yes;
}

Session::Taken Session::on_parse(const wire::Frame& frame, Output& out) {
    const auto parse = wire::decode_parse(frame.payload);
    if (!parse || replies_.skipping()) {
        forward(frame, out);
        return Taken::yes;
    }
    const bool aborted = transaction_ == 'E' && replies_.empty();
    if (const auto relation = shown_relation(parse->text); relation && !aborted) {
        auto statement = std::make_shared<PreparedStatement>();
        statement->name = parse->statement;
        statement->relation = *relation;
        statements_.insert_or_assign(statement->name, statement);
        unnamed_stale_ = unnamed_stale_ || statement->name.empty();
        batch_local_ = true;
        std::string complete;
        wire::write_parse_complete(complete);
        emit_local(std::move(complete), out);
        return Taken::yes;
    }
    std::shared_ptr<const PreparedStatement> remembered;
    if (router::may_be_search(parse->text)) {
        auto statement = std::make_shared<PreparedStatement>();
        statement->name = parse->statement;
        statement->parameter_types = parse->parameter_types;
        statement->statement = router_.read(parse->text);
        remembered = statement;
    }
    const bool search = remembered && remembered->statement.search() != nullptr;
    if (!search) {
        note_text(parse->text);
        calls_seen_ = calls_seen_ || !is_plain_select(parse->text);
    }
    batch_upstream_ = true;
    replies_.expect(
        {.awaited = Awaited::parse,
         .statement = std::move(remembered),
         .name = std::string(parse->statement),
         .bytes = {}}
    );
    unnamed_stale_ = unnamed_stale_ && !parse->statement.empty();
    out.to_server += frame.whole;
    return Taken::yes;
}

std::shared_ptr<const PreparedStatement> Session::statement_named(wire::Bytes name) const {
    if (const auto pending = replies_.pending_parse(name)) {
        return *pending;
    }
    const auto found = statements_.find(name);
    return found == statements_.end() ? nullptr : found->second;
}

Session::Taken Session::on_bind(const wire::Frame& frame, Instant now, Output& out) {
    const bool ordinary =
        portals_.empty() && statement_named(wire::bound_statement(frame.payload)) == nullptr;
    if (ordinary) {
        forward(frame, out);
        return Taken::yes;
    }
    const auto bind = wire::decode_bind(frame.payload);
    if (!bind || replies_.skipping() || copy_in_) {
        forward(frame, out);
        return Taken::yes;
    }
    if (on_local_bind(*bind, out)) {
        return Taken::yes;
    }
    const auto statement = statement_named(bind->statement);
    portals_.erase(std::string(bind->portal));
    if (statement == nullptr) {
        forward(frame, out);
        return Taken::yes;
    }
    Attempt attempt;
    attempt.started = now;
    attempt.statement = statement;
    attempt.portal = bind->portal;
    auto why = prepare(attempt, &*bind);
    if (!why && !bind->portal.empty()) {
        why = router::reason::named_portal;
    }
    if (!why && (batch_bound_ || replies_.size() > statements_max)) {
        why = router::reason::pipelined;
    }
    if (!why && replies_.has_barrier()) {
        return Taken::stall;
    }
    if (!why && !replies_.only_preparation()) {
        why = router::reason::pipelined;
    }
    if (why) {
        note_passed(*why, attempt.route, now);
        forward(frame, out);
        return Taken::yes;
    }
    attempt.held = frame.whole;
    attempt_ = std::move(attempt);
    return Taken::yes;
}

void Session::on_sync(const wire::Frame& frame, Output& out) {
    const bool only_local = batch_local_ && !batch_upstream_ && !replies_.skipping() && !copy_in_;
    batch_local_ = false;
    if (!only_local) {
        forward(frame, out);
        return;
    }
    expect(Awaited::local_sync, Fate::forward);
    emit_due(out);
    if (transaction_ == 'I') {
        portals_.clear();
    }
}

void Session::forward(const wire::Frame& frame, Output& out) {
    if (unnamed_stale_ && names_unnamed_statement(frame)) {
        wire::write_close(out.to_server, 'S', "");
        expect(Awaited::close, Fate::swallow);
        unnamed_stale_ = false;
    }
    bool plain = false;
    if (frame.type == 'Q') {
        const auto query = wire::decode_query(frame.payload);
        plain = query && is_plain_select(query->text);
        statements_.erase("");
        unnamed_stale_ = false;
    } else if (frame.type == 'E') {
        plain = !calls_seen_;
    } else if (frame.type == 'C') {
        const auto target = wire::decode_target(frame.payload);
        if (target && target->kind == 'S') {
            statements_.erase(std::string(target->name));
        }
    }
    expect_reply_to(frame, plain);
    out.to_server += frame.whole;
}

void Session::forward_search(const wire::Frame& frame, Output& out) {
    if (frame.type != 'Q') {
        forward(frame, out);
        return;
    }
    // A recognised search calls nothing but operators, whatever parentheses it has.
    unnamed_stale_ = false;
    expect_reply_to(frame, true);
    out.to_server += frame.whole;
}

void Session::expect_reply_to(const wire::Frame& frame, bool plain) {
    const auto awaits = [&](Awaited awaited) {
        expect(awaited, Fate::forward, plain);
    };
    const auto in_batch = [&](Awaited awaited, bool binds) {
        batch_upstream_ = true;
        batch_bound_ = batch_bound_ || binds;
        awaits(awaited);
    };
    switch (frame.type) {
        case 'P':
            in_batch(Awaited::parse, false);
            break;
        case 'B':
            in_batch(Awaited::bind, true);
            break;
        case 'D': {
            const auto target = wire::decode_target(frame.payload);
            const bool statement = target && target->kind == 'S';
            in_batch(statement ? Awaited::describe_statement : Awaited::describe_portal, false);
            break;
        }
        case 'E':
            in_batch(Awaited::execute, true);
            break;
        case 'C':
            in_batch(Awaited::close, false);
            break;
        case 'S':
            if (!copy_in_) {  // the server ignores it while it reads COPY data
                awaits(Awaited::sync);
            }
            batch_upstream_ = batch_bound_ = false;
            break;
        case 'Q':  // ends no batch: where an Execute before it fails, the server skips it
            awaits(Awaited::query);
            break;
        case 'F':
            awaits(Awaited::function_call);
            break;
        case 'c':
        case 'f':
            awaits(Awaited::copy_end);
            break;
        default:
            break;
    }
}

void Session::note_text(wire::Bytes text) {
    settings_touched_ = settings_touched_ || mentions_veer_setting(text);
}

void Session::expect(Awaited awaited, Fate fate, bool plain) {
    replies_.expect(
        {.awaited = awaited, .fate = fate, .plain = plain, .statement = {}, .name = {}, .bytes = {}}
    );
}

void Session::emit_local(std::string bytes, Output& out) {
    replies_.expect(
        {.awaited = Awaited::local, .statement = {}, .name = {}, .bytes = std::move(bytes)}
    );
    emit_due(out);
}

void Session::emit_due(Output& out) {
    while (replies_.take_local(out.to_client, transaction_)) {
    }
}

}  // namespace veer::proxy::session
