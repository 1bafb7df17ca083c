#include "proxy/session/session.hpp"
#include "proxy/session/statement_text.hpp"
#include "proxy/wire/backend.hpp"

// Frames on their way to the server: what has to go before them, and the replies they are owed.

namespace veer::proxy::session {

namespace {

/// What a frame names that has no name.
enum class NamesUnnamed : std::uint8_t { nothing, statement, portal };

/// Of a Bind, Describe, Execute or Close that expects it to be there.
NamesUnnamed unnamed_of(const wire::Frame& frame) {
    using enum NamesUnnamed;
    if (frame.type == 'B') {
        return wire::bound_statement(frame.payload).empty() ? statement : nothing;
    }
    if (frame.type == 'E') {
        const auto execute = wire::decode_execute(frame.payload);
        return execute && execute->portal.empty() ? portal : nothing;
    }
    const bool targeted = frame.type == 'D' || frame.type == 'C';
    const auto target = targeted ? wire::decode_target(frame.payload) : std::nullopt;
    if (!target || !target->name.empty()) {
        return nothing;
    }
    return target->kind == 'S' ? statement : portal;
}

}  // namespace

bool Session::names_unnamed(const wire::Frame& frame) {
    return frame.type == 'P' ? wire::parsed_statement(frame.payload).empty()
                             : unnamed_of(frame) != NamesUnnamed::nothing;
}

std::shared_ptr<const PreparedStatement> Session::statement_named(wire::Bytes name) const {
    if (const auto pending = replies_.pending_statement(name)) {
        return *pending;
    }
    const auto found = statements_.find(name);
    return found == statements_.end() ? nullptr : found->second;
}

void Session::forward(const wire::Frame& frame, Output& out) {
    if (replies_.skipping() && frame.type != 'S') {
        out.to_server += frame.whole;  // and there it is ignored
        return;
    }
    settle_unnamed(frame, out);
    bool plain = false;
    if (frame.type == 'Q') {
        const auto query = wire::decode_query(frame.payload);
        plain = query && is_plain_select(query->text);
        see_query();
    } else if (frame.type == 'B') {
        note_forwarded_bind(frame);
    } else if (frame.type == 'E') {
        plain = !calls_seen_;
    }
    expect_reply_to(frame, plain);
    out.to_server += frame.whole;
}

void Session::forward_parse(
    const wire::Frame& frame, std::shared_ptr<const PreparedStatement> statement, Output& out
) {
    const wire::Bytes name = wire::parsed_statement(frame.payload);
    batch_upstream_ = true;
    if (name.empty()) {
        remember_unnamed();
        unnamed_.see_statement();
    }
    expect({.awaited = Awaited::parse, .statement = std::move(statement), .name = std::string(name)}
    );
    out.to_server += frame.whole;
}

void Session::forward_search(
    const wire::Frame& frame, const Attempt& attempt, Instant now, Output& out
) {
    forget_unless_table(attempt, now);
    if (frame.type != 'Q') {
        forward(frame, out);
        return;
    }
    see_query();
    const bool known = attempt.route != nullptr;
    expect_reply_to(frame, known && reads_tables_only(*attempt.as_sent()->statement.search()));
    out.to_server += frame.whole;
}

/// What is searched under a bare name may be a view, whose functions become somebody else.
void Session::forget_unless_table(const Attempt& attempt, Instant now) {
    const parser::NearestNeighbourQuery* const query = attempt.as_sent()->statement.search();
    if (query == nullptr || query->schema) {
        return;
    }
    const KnownFacts* const known = attempt.route == nullptr ? nullptr
                                                             : facts_.find(
                                                                   attempt.routes,
                                                                   *attempt.route,
                                                                   facts_condition(attempt),
                                                                   router_.write_epoch(),
                                                                   now
                                                               );
    if (known == nullptr || !known->facts.table_visible) {
        facts_.clear();
    }
}

bool Session::reads_tables_only(const parser::NearestNeighbourQuery& query) {
    return query.joined.empty() && !query.vector.stored;
}

void Session::settle_unnamed(const wire::Frame& frame, Output& out) {
    const bool uses_portals = wire::Bytes("BDEC").find(frame.type) != wire::Bytes::npos;
    if (unnamed_.in_step() || !uses_portals) {
        return;
    }
    const bool replaced = frame.type == 'B' && wire::bound_portal(frame.payload).empty();
    if (unnamed_.portal_stale && !replaced) {
        // Whatever comes, for an open portal holds on to its tables.
        wire::write_close(out.to_server, 'P', "");
        remember_unnamed();
        unnamed_.portal_open = unnamed_.portal_stale = false;
        batch_upstream_ = true;
        expect(Awaited::close, Fate::swallow);
    }
    if (unnamed_.statement == Unnamed::Statement::in_step ||
        unnamed_of(frame) != NamesUnnamed::statement) {
        return;
    }
    const bool unseen = unnamed_.statement == Unnamed::Statement::unseen;
    if (unseen) {
        out.to_server += unnamed_.parse;
    } else {
        wire::write_close(out.to_server, 'S', "");
    }
    remember_unnamed();
    unnamed_.see_statement();
    batch_upstream_ = true;
    expect(unseen ? Awaited::parse : Awaited::close, Fate::swallow);
}

void Session::remember_unnamed() {
    if (!unnamed_.in_step()) {
        unnamed_before_ = std::make_shared<const Unnamed>(unnamed_);
    }
}

void Session::see_query() {
    statements_.erase("");
    replies_.supersede("");
    portals_.erase("");
    remember_unnamed();
    unnamed_.see_query();
}

void Session::note_forwarded_bind(const wire::Frame& frame) {
    const wire::Bytes portal = wire::bound_portal(frame.payload);
    if (portal.empty()) {
        portals_.erase("");
        unnamed_.portal_open = true;
        unnamed_.portal_stale = false;
    } else {
        named_upstream_ = true;
    }
}

/// A Query ends no batch: where an Execute before it fails, the server skips it.
void Session::expect_reply_to_query(const wire::Frame& frame, bool plain) {
    const auto query = wire::decode_query(frame.payload);
    const auto name = query ? deallocated_name(query->text) : std::nullopt;
    expect(
        {.awaited = Awaited::query,
         .plain = plain,
         .name = name.value_or(""),
         .notice = notice_.take(frame)}
    );
}

void Session::expect_reply_to(const wire::Frame& frame, bool plain) {
    const auto awaits = [&](Awaited awaited) {
        expect({.awaited = awaited, .plain = plain});
    };
    const auto runs = [&](Awaited awaited) {
        expect({.awaited = awaited, .plain = plain, .notice = notice_.take(frame)});
    };
    // What veer has answered of the open batch is no longer all of it.
    batch_upstream_ = batch_upstream_ || (batch_local_ && frame.type != 'S');
    switch (frame.type) {
        case 'P':
            batch_upstream_ = true;
            awaits(Awaited::parse);
            break;
        case 'B':
            batch_upstream_ = batch_bound_ = true;
            awaits(Awaited::bind);
            break;
        case 'D': {
            const auto target = wire::decode_target(frame.payload);
            const bool statement = target && target->kind == 'S';
            batch_upstream_ = true;
            expect(
                {.awaited = statement ? Awaited::describe_statement : Awaited::describe_portal,
                 .statement = statement ? statement_named(target->name) : nullptr,
                 .name = {}}
            );
            break;
        }
        case 'E':
            batch_upstream_ = batch_bound_ = true;
            runs(Awaited::execute);
            break;
        case 'C': {
            const auto target = wire::decode_target(frame.payload);
            batch_upstream_ = true;
            expect(
                {.awaited = Awaited::close,
                 .statement = nullptr,
                 .name = target ? std::string(target->name) : std::string(),
                 .frees_name = target && target->kind == 'S'}
            );
            break;
        }
        case 'S':
            if (!copy_in_) {  // the server ignores it while it reads COPY data
                awaits(Awaited::sync);
            }
            batch_upstream_ = batch_bound_ = false;
            break;
        case 'Q':
            expect_reply_to_query(frame, plain);
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
    notices_touched_ = notices_touched_ || mentions_notice_setting(text);
    deallocates_ = deallocates_ || mentions_deallocate(text);
}

void Session::forget_unnamed() {
    statements_.erase("");
    portals_.erase("");
    unnamed_.lose_both();
}

void Session::expect(Expected expected) {
    expected.before = std::exchange(unnamed_before_, nullptr);
    if (expected.awaited == Awaited::query || expected.awaited == Awaited::parse) {
        expected.wording = std::exchange(wording_, nullptr);
    }
    replies_.expect(std::move(expected));
}

void Session::expect(Awaited awaited, Fate fate, bool plain) {
    expect({.awaited = awaited, .fate = fate, .plain = plain, .statement = {}, .name = {}});
}

void Session::emit_local(std::string bytes, Output& out) {
    expect({.awaited = Awaited::local, .bytes = std::move(bytes)});
    emit_due(out);
}

void Session::emit_due(Output& out) {
    while (replies_.take_local(out.to_client, transaction_)) {
    }
}

}  // namespace veer::proxy::session
