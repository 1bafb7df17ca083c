#include "proxy/session/session.hpp"
#include "proxy/wire/backend.hpp"
#include "router/rewrite.hpp"

#include <utility>

// The server's frames: each is matched with what was asked, and goes where that says.

namespace veer::proxy::session {

namespace {

bool asynchronous(char type) {
    return type == 'N' || type == 'A' || type == 'S';
}

/// Canceled, out of time (class 57), or a lock not had in time (55P03): meant for the client.
bool must_be_told(const wire::Diagnostics& diagnostics) {
    return diagnostics.sqlstate.starts_with("57") || diagnostics.sqlstate == "55P03";
}

/// A syntax error: Postgres' grammar has read the client's own text already. What else is wrong
/// with a statement (names, types, rights), the client's own statement may have met, too.
bool is_of_the_rewriting(const wire::Diagnostics& diagnostics) {
    return diagnostics.sqlstate == "42601";
}

}  // namespace

bool Session::needs_whole(char type) const {
    if (busy() || replies_.next_fate() != Fate::forward) {
        return true;
    }
    return type != 'D' && type != 'd';
}

bool Session::passes_in_parts(char type, Instant now, Output& out) {
    if (attempt_ && attempt_->stage == Attempt::Stage::rewriting) {
        overflow_stash(out);
    }
    if (type == 'E') {
        on_error({.type = type, .payload = {}, .whole = {}}, now, out);
        return true;
    }
    if (asynchronous(type)) {
        return true;
    }
    const auto reply = replies_.on_message(type);
    const bool lost = reply && reply->fate == Fate::stash && attempt_ && attempt_->stash_overflow;
    dropping_server_ =
        reply && reply->fate != Fate::forward && (reply->fate != Fate::stash || lost);
    return reply.has_value();
}

bool Session::completes_outbox(wire::Bytes bytes) const {
    wire::FrameHeader header;
    const wire::FrameStatus status = wire::peek_header(outbox_, header);
    return status != wire::FrameStatus::ok || outbox_.size() + bytes.size() >= header.whole_bytes;
}

void Session::on_server(wire::Bytes bytes, Instant now, Output& out) {
    if (state_ == State::raw) {
        router_.note_write();  // what this session does is not followed any more
        out.to_client += bytes;
        return;
    }
    if (!outbox_.empty() && !completes_outbox(bytes)) {
        outbox_ += bytes;
        return;
    }
    const std::string joined = outbox_.empty() ? std::string() : outbox_ + std::string(bytes);
    wire::Bytes rest = outbox_.empty() ? bytes : wire::Bytes(joined);
    outbox_.clear();
    while (!rest.empty()) {
        if (passing_server_ > 0) {
            const wire::Bytes part = rest.substr(0, passing_server_);
            out.to_client += dropping_server_ ? wire::Bytes() : part;
            passing_server_ -= part.size();
            dropping_server_ = dropping_server_ && passing_server_ > 0;
            rest.remove_prefix(part.size());
            continue;
        }
        wire::FrameHeader header;
        const wire::FrameStatus status = wire::peek_header(rest, header);
        if (status == wire::FrameStatus::malformed) {
            lose_track(rest, out);
            return;
        }
        if (status == wire::FrameStatus::incomplete) {
            break;
        }
        const bool whole = rest.size() >= header.whole_bytes;
        const bool too_long = header.whole_bytes > options_.stash_bytes_max;
        if (!whole && (!needs_whole(header.type) || too_long)) {
            if (!passes_in_parts(header.type, now, out)) {
                lose_track(rest, out);
                return;
            }
            passing_server_ = header.whole_bytes;
            continue;
        }
        if (!whole) {
            break;
        }
        const wire::Frame frame = wire::frame_at(rest, header);
        rest.remove_prefix(header.whole_bytes);
        if (state_ == State::starting) {
            out.to_client += frame.whole;
            on_starting_frame(frame);
        } else {
            on_server_frame(frame, now, out);
        }
        if (state_ == State::raw) {
            out.to_client += rest;
            return;
        }
    }
    outbox_ = rest;
    const bool awaited = flushed_ && !replies_.empty() && !replies_.skipping();
    if (stalled_ && ((!replies_.has_barrier() && !awaited) || copy_in_)) {
        stalled_ = flushed_ = false;
        drain_inbox(now, out);
    }
}

void Session::on_starting_frame(const wire::Frame& frame) {
    if (frame.type == 'S') {
        on_async(frame);
    } else if (frame.type == 'E') {
        fatal_seen_ = true;
    } else if (frame.type == 'K') {
        backend_key_ = frame.payload;
    } else if (frame.type == 'Z') {
        transaction_ = wire::decode_ready_for_query(frame.payload).value_or('I');
        state_ = State::open;
    }
}

void Session::on_async(const wire::Frame& frame) {
    const auto parameter = wire::decode_parameter_status(frame.payload);
    if (!parameter || frame.type != 'S') {
        return;
    }
    if (parameter->first == "client_encoding") {
        utf8_ = parameter->second == "UTF8";
    } else if (parameter->first == "standard_conforming_strings") {
        standard_strings_ = parameter->second == "on";
    } else if (parameter->first == "application_name") {
        application_ = parameter->second;
    } else if (parameter->first == "session_authorization") {
        authorization_ = parameter->second;
    }
}

bool Session::answers_veer() const {
    const bool asking = attempt_ && attempt_->stage == Attempt::Stage::asking;
    const Fate fate = replies_.next_fate();
    return fate == Fate::ignore || (asking && fate != Fate::forward);
}

void Session::on_server_frame(const wire::Frame& frame, Instant now, Output& out) {
    if (frame.type == 'N' && answers_veer()) {
        return;  // what veer's own question gives rise to is nothing to the client
    }
    if (asynchronous(frame.type)) {
        if (frame.type == 'A') {
            // Who sent it has committed, perhaps past veer, and its receiver will look.
            router_.note_write();
            facts_.clear();
        }
        if (frame.type == 'N' && !replies_.empty()) {
            router_.note_write();  // a procedure may commit, say so, and go on
        }
        out.to_client += frame.whole;
        on_async(frame);
        return;
    }
    if (frame.type == 'E') {
        on_error(frame, now, out);
        emit_due(out);
        return;
    }
    const auto reply = replies_.on_message(frame.type);
    if (!reply) {
        lose_track(frame.whole, out);
        return;
    }
    on_reply(*reply, frame, now, out);
    emit_due(out);
}

void Session::on_error(const wire::Frame& frame, Instant now, Output& out) {
    const wire::Diagnostics diagnostics = wire::decode_diagnostics(frame.payload);
    const bool fatal = diagnostics.severity == "FATAL" || diagnostics.severity == "PANIC";
    fatal_seen_ = fatal_seen_ || fatal;
    facts_.clear();
    copy_in_ = false;
    passed_at_.reset();
    passed_observed_.reset();
    fell_back_.reset();  // the client's own error: nobody could answer this
    const bool counting = replies_.counting();
    const Failure failure = replies_.on_error();
    if (failure.may_have_written) {
        router_.note_write();  // a procedure, and a Query of several statements, may have committed
    }
    if (failure.before) {
        unnamed_ = *failure.before;  // the server skips what would have changed it
    }
    const Fate fate = failure.fate;
    const bool of_veers_own = fate == Fate::facts || fate == Fate::swallow;
    const bool asking = attempt_ && attempt_->stage == Attempt::Stage::asking;
    const bool rewriting = attempt_ && attempt_->stage == Attempt::Stage::rewriting;
    if (fate == Fate::ignore && !fatal) {
        opening_error_ = opening_ ? frame.whole : wire::Bytes();
        return;
    }
    if (rewriting && !fatal && (fate == Fate::stash || fate == Fate::count || of_veers_own)) {
        // Of the rewritten statement, or of veer's own Parse of it.
        fail_stash(frame, diagnostics, counting);
        return;
    }
    if (asking && attempt_->alone && !fatal && of_veers_own) {
        facts_failed_ = true;
        // What ends any statement says nothing of the question.
        const bool of_a_search = !attempt_->asks_vector && !attempt_->asks_management;
        facts_broken_ = facts_broken_ || (of_a_search && !must_be_told(diagnostics));
        // A name or a type that is not there; not a value, or a right, of somebody's.
        attempt_->vector_senseless = attempt_->asks_vector &&
                                     diagnostics.sqlstate.starts_with("42") &&
                                     diagnostics.sqlstate != "42501";
        if (must_be_told(diagnostics)) {
            facts_error_ = frame.whole;
        }
        return;
    }
    if (failure.wording && !frame.whole.empty()) {
        out.to_client += worded(frame, *failure.wording);
    } else {
        out.to_client += frame.whole;
    }
    if (asking && !attempt_->alone && of_veers_own) {
        facts_broken_ = facts_broken_ || !must_be_told(diagnostics);
    }
    if (attempt_ && replies_.skipping()) {
        pass(router::reason::pipelined, now, out);  // the server skips it, up to the client's Sync
        drain_inbox(now, out);
    } else {
        batch_failed_ = attempt_.has_value();
    }
}

void Session::fail_stash(
    const wire::Frame& frame, const wire::Diagnostics& diagnostics, bool counting
) {
    const router::Statement& statement = attempt_->statement->statement;
    if (diagnostics.position > 0) {
        // Of a text that the client has not sent.
        const std::size_t position = attempt_->called != nullptr || attempt_->as_sent()->wording
                                         ? 0  // nor has it the text of the body
                                         : router::position_in_statement(
                                               statement.text,
                                               statement.clauses(),
                                               attempt_->rewritten,
                                               counting,
                                               diagnostics.position
                                           );
        wire::write_error_at(attempt_->stash, frame.payload, position);
    } else {
        attempt_->stash += frame.whole;
    }
    attempt_->stash_failed = true;
    attempt_->own_error = attempt_->own_error || is_of_the_rewriting(diagnostics);
    if (must_be_told(diagnostics)) {
        attempt_->final = true;  // to run it again would undo it
    }
}

void Session::on_reply(const Reply& reply, const wire::Frame& frame, Instant now, Output& out) {
    if (frame.type == 'Z') {
        on_ready(reply, frame, now, out);
        return;
    }
    switch (reply.fate) {
        case Fate::forward:
            out.to_client += reply.notice;
            out.to_client += frame.whole;
            break;
        case Fate::swallow:
        case Fate::ignore:
            return;
        case Fate::facts:
            if (frame.type == 'D') {
                facts_row_ = frame.payload;
            } else if (frame.type == '3') {
                on_facts_ready(false, now, out);
            }
            return;
        case Fate::stash:
            stash(frame, out);
            return;
        case Fate::count:
            note_count(frame);
            return;
    }
    if (reply.awaited == Awaited::parse) {
        on_parsed(reply);
    } else if (reply.frees_name && !reply.superseded) {
        statements_.erase(reply.name);
    } else if (reply.awaited == Awaited::describe_statement) {
        note_description(reply, frame, now);
    } else if (frame.type == 'C') {
        const wire::Bytes tag = wire::decode_command_complete(frame.payload).value_or("");
        note_tag(tag, reply.plain, reply.name);
    } else if (frame.type == 's') {
        note_tag("SELECT", reply.plain);
    } else if (frame.type == 'V') {
        note_tag("FUNCTION", false);
    } else if (frame.type == 'G') {
        copy_in_ = !replies_.on_copy_in();
    }
}

bool Session::has_room_for(wire::Bytes statement) const {
    constexpr std::size_t statements_max = 10'000;
    return statements_.size() < statements_max || statements_.find(statement) != statements_.end();
}

void Session::on_parsed(const Reply& reply) {
    if (reply.superseded) {
        return;
    }
    if (!reply.statement || !has_room_for(reply.name)) {
        statements_.erase(reply.name);
        return;
    }
    statements_.insert_or_assign(reply.name, reply.statement);
}

void Session::note_description(const Reply& reply, const wire::Frame& frame, Instant now) {
    // Of other columns than the key nobody tells veer in time that they have changed.
    if (frame.type == 't') {
        description_ = frame.whole;
        return;
    }
    if (reply.statement == nullptr || reply.statement->statement.search() == nullptr) {
        return;
    }
    // Only where the facts say that its names mean what they mean to everyone.
    const auto routes = router_.routes();
    const parser::NearestNeighbourQuery& query = *reply.statement->statement.search();
    const auto* const route = routes->find(query);
    if (route != nullptr && frame.type == 'T' && facts_allow(routes, *route, query, now) &&
        router::answerable_locally(*route, query)) {
        routes->accepted->note_described(
            reply.statement->statement.text,
            reply.statement->parameter_types,
            description_ + std::string(frame.whole)
        );
    }
}

void Session::on_ready(const Reply& reply, const wire::Frame& frame, Instant now, Output& out) {
    const char before = transaction_;
    transaction_ = wire::decode_ready_for_query(frame.payload).value_or('I');
    copy_in_ = false;
    deallocates_ = false;
    if (transaction_ == 'I') {
        end_transaction();
    }
    if (replies_.empty() && !replies_.skipping()) {
        batch_upstream_ = batch_bound_ = false;  // nothing is open upstream
    }
    // What SET LOCAL said in a batch without BEGIN is over with its Sync, too.
    const bool batch_over = facts_of_batch_ && transaction_ == 'I';
    if ((before != transaction_ || batch_over) && reply.fate != Fate::facts) {
        facts_.clear();
        facts_of_batch_ = false;
    }
    if (reply.fate == Fate::ignore) {
        opening_ = false;
    } else if (reply.fate == Fate::facts) {
        on_facts_ready(facts_failed_, now, out);
    } else if (reply.fate == Fate::stash) {
        finish_rewritten(frame, now, out);
    } else if (reply.fate == Fate::count) {
        finish_count(frame, now, out);
    } else if (reply.fate == Fate::forward) {
        out.to_client += frame.whole;
        if (passed_at_) {
            last_.milliseconds =
                static_cast<double>(now.nanoseconds - passed_at_->nanoseconds) / 1e6;
            passed_at_.reset();
            if (const auto traffic = std::exchange(fell_back_, nullptr)) {
                traffic->fallbacks.fetch_add(1, std::memory_order_relaxed);
            }
            offer(std::exchange(passed_observed_, std::nullopt), last_.milliseconds);
        }
    }
}

void Session::end_transaction() {
    portals_.clear();
    named_upstream_ = false;
    unnamed_.portal_open = unnamed_.portal_stale = false;
    if (maybe_wrote_) {
        router_.note_write();  // before the client can know that it committed
        maybe_wrote_ = false;
    }
}

void Session::note_tag(wire::Bytes tag, bool plain, wire::Bytes deallocated) {
    const wire::Bytes verb = tag.substr(0, tag.find(' '));
    if ((verb == "SELECT" && plain) || verb == "SHOW") {
        return;
    }
    facts_.clear();
    note_cursors(verb, tag);
    calls_seen_ = calls_seen_ || verb == "PREPARE" || verb == "SELECT" || verb == "DO" ||
                  verb == "CALL" || verb == "DECLARE";  // a function can PREPARE, too
    constexpr std::string_view harmless[] = {
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "SET",
        "RESET",
        "DISCARD",
        "DEALLOCATE",
        "LISTEN",
        "UNLISTEN",
        "NOTIFY",
        "CLOSE",
        "PREPARE"};
    for (const std::string_view word : harmless) {
        if (verb == word && tag != "COMMIT PREPARED" && tag != "ROLLBACK PREPARED") {
            if (tag == "DEALLOCATE" && !deallocated.empty()) {
                statements_.erase(std::string(deallocated));
            } else if (verb == "DISCARD" || verb == "DEALLOCATE") {
                statements_.clear();
            }
            if (verb == "COMMIT" && maybe_wrote_) {
                router_.note_write();  // AND CHAIN, or more statements after it in one Query
            }
            return;
        }
    }
    if (deallocates_) {
        statements_.clear();  // a function or a DO block may have done it
    }
    maybe_wrote_ = true;
    router_.note_write();  // a procedure may have committed already
}

void Session::note_cursors(wire::Bytes verb, wire::Bytes tag) {
    if (tag == "ROLLBACK" || tag == "COMMIT") {
        // AND CHAIN begins another transaction at once. And whatever savepoint was rolled back to,
        // none of these is older: before a savepoint Postgres was given them.
        portals_.clear();
    } else if (verb == "DECLARE") {
        named_upstream_ = true;
    }
}

void Session::lose_track(wire::Bytes rest, Output& out) {
    // Replies that answer nothing that was asked: this is not the protocol veer knows. From here on
    // it only relays. What a search holds back goes to the server, so that nothing is lost.
    if (attempt_ && attempt_->stage != Attempt::Stage::collecting) {
        out.close = true;  // replies to veer's own questions could reach the client
        return;
    }
    if (attempt_) {
        out.to_server += attempt_->held;
        attempt_.reset();
    }
    state_ = State::raw;
    stalled_ = false;
    out.to_server += inbox_;
    inbox_.clear();
    out.to_client += rest;
}

}  // namespace veer::proxy::session
