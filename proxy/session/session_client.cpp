#include "proxy/session/session.hpp"
#include "proxy/session/statement_text.hpp"
#include "proxy/wire/backend.hpp"

#include <algorithm>

namespace veer::proxy::session {

namespace {

/// Answers of veer's own may come to so much in one go; then they are written before there are
/// more.
constexpr std::size_t answered_at_once = std::size_t{256} * 1024;

/// Messages that are relayed without being looked at, in parts if need be.
bool streams(char type) {
    return type == 'd';
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
    database_ = startup.parameter(startup.parameter("database").empty() ? "user" : "database");
    settings_touched_ = mentions_veer_setting(startup.parameter("options"));
    notices_touched_ = mentions_notice_setting(startup.parameter("options"));
    for (const auto& [name, value] : startup.parameters) {
        settings_touched_ = settings_touched_ || mentions_veer_setting(name);
        notices_touched_ = notices_touched_ || mentions_notice_setting(name);
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

void Session::on_room(Instant now, Output& out) {
    full_ = false;
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
        if (out.to_client.size() >= answered_at_once) {
            full_ = true;
            break;
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
            const Taken taken = pass_uninspected(rest, header, out);
            if (taken == Taken::yes) {
                continue;
            }
            stalled_ = taken == Taken::stall;
            break;
        }
        if (rest.size() < header.whole_bytes) {
            break;
        }
        const Taken taken = on_client_frame(wire::frame_at(rest, header), now, out);
        if (taken != Taken::yes) {
            stalled_ = taken == Taken::stall;
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

/// `bytes`: what is at hand of it, for its names.
Session::Taken Session::pass_uninspected(
    wire::Bytes bytes, const wire::FrameHeader& header, Output& out
) {
    const wire::Bytes payload =
        bytes.substr(wire::frame_header_bytes, header.whole_bytes - wire::frame_header_bytes);
    const wire::Frame seen{.type = header.type, .payload = payload, .whole = {}};
    const std::ptrdiff_t names = header.type == 'B' ? 2 : header.type == 'P' ? 1 : 0;
    const bool named = names == 0 || std::count(payload.begin(), payload.end(), '\0') >= names;
    if (!named && bytes.size() < options_.inspected_bytes_max) {
        return Taken::later;
    }
    if (!replies_.skipping() && !copy_in_) {
        if (const auto taken = note_uninspected(seen, named, out)) {
            return *taken;
        }
    }
    expect_reply_to({.type = header.type, .payload = {}, .whole = {}}, false);
    passing_ = header.whole_bytes;
    emit_due(out);
    return Taken::yes;
}

/// What a message does to what veer knows of statements and portals, as far as its names tell.
std::optional<Session::Taken> Session::note_uninspected(
    const wire::Frame& seen, bool named, Output& out
) {
    const bool unnamed = named && (seen.type == 'B' || seen.type == 'P') && names_unnamed(seen);
    if (unnamed && replies_.change_pending() && replies_.has_barrier()) {
        return Taken::stall;  // as in on_client_frame()
    }
    if (seen.type == 'P') {
        if (const auto taken = open_portals(std::nullopt, false, out)) {
            return taken;
        }
        calls_seen_ = true;
        const bool replaces = unnamed || !named;
        unnamed_uses_portals_ = unnamed_uses_portals_ || replaces;
        portal_statements_ = portal_statements_ || !replaces;
        if (replaces) {
            remember_unnamed();
            unnamed_.see_statement();
        }
        return std::nullopt;
    }
    if (seen.type == 'B') {
        return note_uninspected_bind(seen, named, out);
    }
    if (seen.type == 'Q') {
        opening_error_.clear();  // the transaction has failed, and Postgres says so
        if (const auto taken = open_portals(std::nullopt, true, out)) {
            return taken;
        }
        see_query();
    }
    return std::nullopt;
}

std::optional<Session::Taken> Session::note_uninspected_bind(
    const wire::Frame& seen, bool named, Output& out
) {
    if (!named) {
        portals_.clear();  // it may be bound to the name of one of veer's own
        named_upstream_ = unnamed_.portal_open = true;
        return std::nullopt;
    }
    const wire::Bytes portal = wire::bound_portal(seen.payload);
    if (!portal.empty() && portals_.find(portal) != nullptr) {
        if (replies_.has_barrier()) {
            return Taken::stall;  // as in bind_twice()
        }
        if (!replies_.empty()) {
            return await_replies(out);
        }
        if (transaction_ != 'E') {
            take_name_upstream(portal, out);
        }
    }
    settle_unnamed(seen, out);
    note_forwarded_bind(seen);
    return std::nullopt;
}

Session::Taken Session::on_client_frame(const wire::Frame& frame, Instant now, Output& out) {
    if (attempt_) {
        return collect(frame, now, out);
    }
    if (copy_in_ && frame.type != 'c' && frame.type != 'f' && frame.type != 'X') {
        forward(frame, out);  // for Postgres to ignore or to refuse
        return Taken::yes;
    }
    if (replies_.change_pending() && replies_.has_barrier() && names_unnamed(frame)) {
        return Taken::stall;  // whether the server skips the change decides what this means
    }
    if (frame.type == 'Q' || frame.type == 'P') {
        if (const auto taken = open_portals_for(frame, out)) {
            return *taken;
        }
    }
    switch (frame.type) {
        case 'Q':
            return on_query(frame, now, out);
        case 'P':
            return on_parse(frame, now, out);
        case 'B':
            return on_bind(frame, now, out);
        case 'D':
        case 'E':
        case 'C':
            if (const auto taken = on_local_frame(frame, now, out)) {
                return *taken;
            }
            break;
        case 'H':
            on_flush(frame, out);
            return Taken::yes;
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
    if (const auto relation = shown_relation(query->text)) {
        return show_relation(frame, *relation, out);
    }
    if (const auto taken = manage(frame, query->text, now, out)) {
        return *taken;
    }
    if (const auto taken = translate(frame, query->text, now, out)) {
        return *taken;
    }
    return on_query_text(frame, query->text, nullptr, now, out);
}

Session::Taken Session::on_query_text(
    const wire::Frame& frame,
    wire::Bytes text,
    std::shared_ptr<const router::Complaint> wording,
    Instant now,
    Output& out
) {
    if (!router_.may_be_search(text)) {
        note_text(text);
        wording_ = std::move(wording);
        forward(frame, out);
        return Taken::yes;
    }
    Attempt attempt;
    attempt.simple = true;
    attempt.started = now;
    auto statement = std::make_shared<PreparedStatement>();
    statement->wording = std::move(wording);
    read(*statement, text);
    if (!statement->is_of_interest()) {
        note_text(text);
        wording_ = statement->wording;
        forward(frame, out);
        return Taken::yes;
    }
    attempt.statement = statement;
    const auto why = prepare(attempt, nullptr);
    const bool first = replies_.empty() && !batch_upstream_;
    const bool tells =
        why && (first || replies_.has_barrier()) && holds_to_tell(attempt, *why, nullptr);
    if ((!why || tells) && replies_.has_barrier()) {
        return Taken::stall;
    }
    statements_.erase("");
    if (!first || (why && !tells)) {
        note_text(text);
        note_passed(why.value_or(router::reason::pipelined), attempt, now);
        wording_ = statement->wording;
        if (attempt.as_sent()->statement.search() != nullptr) {
            forward_search(frame, attempt, now, out);
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

Session::Taken Session::show_relation(
    const wire::Frame& frame, const std::string& relation, Output& out
) {
    if (replies_.has_barrier()) {
        return Taken::stall;
    }
    if (!replies_.empty() || batch_upstream_ || transaction_ == 'E') {
        forward(frame, out);  // Postgres refuses it, each time for another good reason
        return Taken::yes;
    }
    out.to_client += answer_relation_named(relation).all();
    wire::write_ready_for_query(out.to_client, transaction_);
    forget_unnamed();
    return Taken::yes;
}

Session::Taken Session::on_parse(const wire::Frame& frame, Instant now, Output& out) {
    const auto parse = wire::decode_parse(frame.payload);
    if (!parse || replies_.skipping()) {
        forward(frame, out);
        return Taken::yes;
    }
    const bool aborted = transaction_ == 'E' && replies_.empty();
    const auto relation = shown_relation(parse->text);
    if (relation && !aborted && has_room_for(parse->statement)) {
        auto statement = std::make_shared<PreparedStatement>();
        statement->name = parse->statement;
        statement->relation = *relation;
        statements_.insert_or_assign(statement->name, statement);
        replies_.supersede(statement->name);
        if (statement->name.empty()) {
            unnamed_.lose_statement();
        }
        batch_local_ = true;
        std::string complete;
        wire::write_parse_complete(complete);
        emit_local(std::move(complete), out);
        return Taken::yes;
    }
    if (const auto taken = manage(frame, parse->text, now, out)) {
        return *taken;
    }
    if (const auto taken = translate(frame, parse->text, now, out)) {
        return *taken;
    }
    return on_parse_text(frame, *parse, nullptr, now, out);
}

Session::Taken Session::on_parse_text(
    const wire::Frame& frame,
    const wire::Parse& parse,
    std::shared_ptr<const router::Complaint> wording,
    Instant now,
    Output& out
) {
    note_portal_use(parse);
    std::shared_ptr<const PreparedStatement> remembered;
    if (router_.may_be_search(parse.text)) {
        auto statement = std::make_shared<PreparedStatement>();
        statement->name = parse.statement;
        statement->parameter_types = parse.parameter_types;
        statement->wording = wording;
        read(*statement, parse.text);
        if (statement->is_of_interest()) {
            statement->routes = router_.routes();
            remembered = statement;
        }
    }
    if (!remembered || remembered->statement.search() == nullptr) {
        note_text(parse.text);
        calls_seen_ = calls_seen_ || !is_plain_select(parse.text);
    } else if (parse_locally(frame, remembered, now, out)) {
        return Taken::yes;
    } else {
        const auto& query = *remembered->statement.search();
        calls_seen_ =
            calls_seen_ || !reads_tables_only(query) || remembered->routes->find(query) == nullptr;
    }
    wording_ = std::move(wording);
    forward_parse(frame, std::move(remembered), out);
    return Taken::yes;
}

Session::Taken Session::on_bind(const wire::Frame& frame, Instant now, Output& out) {
    const bool ordinary =
        portals_.empty() && statement_named(wire::bound_statement(frame.payload)) == nullptr;
    const auto bind = ordinary ? std::nullopt : wire::decode_bind(frame.payload);
    if (!bind || replies_.skipping() || copy_in_) {
        forward(frame, out);
        return Taken::yes;
    }
    const auto named = statement_named(bind->statement);
    if (named != nullptr && named->is_local() && portals_.full() &&
        portals_.find(bind->portal) == nullptr) {
        forward(frame, out);  // for Postgres to refuse
        return Taken::yes;
    }
    if (on_local_bind(*bind, out)) {
        return Taken::yes;
    }
    if (!bind->portal.empty() && portals_.find(bind->portal) != nullptr) {
        return bind_twice(frame, bind->portal, out);
    }
    const auto statement = statement_named(bind->statement);
    if (statement == nullptr) {
        forward(frame, out);
        return Taken::yes;
    }
    Attempt attempt;
    attempt.started = now;
    attempt.statement = statement;
    attempt.portal = bind->portal;
    auto why = prepare(attempt, &*bind);
    if (!why) {
        why = refuse_portal(attempt);
    }
    const bool tells = why && holds_to_tell(attempt, *why, &*bind);
    if ((!why || tells) && replies_.has_barrier()) {
        return Taken::stall;
    }
    if (why && !tells) {
        note_passed(*why, attempt, now);
        forget_unless_table(attempt, now);
        forward(frame, out);
        return Taken::yes;
    }
    attempt.held = frame.whole;
    attempt_ = std::move(attempt);
    return Taken::yes;
}

void Session::on_flush(const wire::Frame& frame, Output& out) {
    if (!frame.payload.empty()) {
        expect(Awaited::close, Fate::forward);  // an error, that is
        batch_upstream_ = true;
    }
    // Veer's own answers leave when they are due; only Postgres keeps some back until told.
    if (batch_upstream_ || copy_in_ || !replies_.empty()) {
        out.to_server += frame.whole;
    }
}

void Session::on_sync(const wire::Frame& frame, Output& out) {
    const bool only_local = batch_local_ && !batch_upstream_ && !replies_.skipping() && !copy_in_ &&
                            frame.payload.empty();
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

}  // namespace veer::proxy::session
