#include "proxy/session/constant_rows.hpp"
#include "proxy/session/session.hpp"
#include "proxy/session/statement_text.hpp"
#include "proxy/wire/backend.hpp"

#include <utility>

// Portals that Postgres has not, and what may find that out. Before a text that may use one goes
// upstream, Postgres is given the portal: with the rows that veer has answered, at the row that the
// client has come to. To run its search there would be another answer.
//
//     Parse ─▶ the portals, then the Parse, in the client's own batch: an error is the Parse's
//     Query ─▶ the portals and Sync; the Query waits, and is answered with an error of theirs
//
// What veer cannot see is left: a function that uses a portal whose name is not in the text (it
// gets Postgres' error that there is none), and one that does CLOSE ALL.

namespace veer::proxy::session {

namespace {

constexpr wire::Bytes portal_statement = "veer_portal";
constexpr std::size_t unanswered_max = 10'000;

}  // namespace

std::optional<Session::Taken> Session::open_portals_for(const wire::Frame& frame, Output& out) {
    if (frame.type == 'Q' && !opening_error_.empty()) {  // the Query that has waited for it
        out.to_client += std::exchange(opening_error_, {});
        wire::write_ready_for_query(out.to_client, transaction_);
        forget_unnamed();
        return Taken::yes;
    }
    const bool simple = frame.type == 'Q';
    if (portals_.empty() || (simple && !portals_.has_named()) || copy_in_ || replies_.skipping()) {
        return std::nullopt;
    }
    const auto query = simple ? wire::decode_query(frame.payload) : std::nullopt;
    const auto parse = simple ? std::nullopt : wire::decode_parse(frame.payload);
    const wire::Bytes text = query ? query->text : parse ? parse->text : wire::Bytes();
    return open_portals(text, simple, out);
}

/// `text`: nothing where it has not been seen. Nothing: the client's message can go.
std::optional<Session::Taken> Session::open_portals(
    std::optional<wire::Bytes> text, bool simple, Output& out
) {
    std::vector<std::string> names;
    for (const auto& [name, portal] : portals_) {
        // A Query ends the unnamed one in any case; read to its end, there is nothing to see of it.
        const bool seen = !name.empty() || (!simple && !portal.at_end());
        // One that is given away behind a savepoint would go with it.
        const bool concerned = !text || concerns_portal(*text, name) || mentions_savepoint(*text);
        if (seen && concerned && portal.of_search()) {
            names.push_back(name);
        }
    }
    if (names.empty() || transaction_ == 'E') {
        return std::nullopt;
    }
    if (replies_.has_barrier()) {
        return Taken::stall;  // which may end the transaction, and the portals
    }
    if (!replies_.empty()) {
        return await_replies(out);  // an error would make Postgres skip them
    }
    const bool in_batch = !simple || batch_upstream_ || batch_local_;
    for (const std::string& name : names) {
        open_upstream(name, in_batch ? Fate::swallow : Fate::ignore, out);
    }
    if (in_batch) {
        batch_upstream_ = true;
        return std::nullopt;
    }
    wire::write_sync(out.to_server);
    expect(Awaited::sync, Fate::ignore);
    opening_ = true;
    return Taken::stall;
}

/// Postgres has the portal from here on, and veer has not.
void Session::open_upstream(const std::string& name, Fate fate, Output& out) {
    const LocalPortal portal = *portals_.find(name);
    portals_.erase(name);
    const LocalAnswer& answer = portal.answer();
    if (answer.fields.size() * answer.row_count > constants_max) {
        return;  // an unnamed one: there is none from here on
    }
    bind_upstream(
        constant_text(answer), constant_types(answer), constant_bind(answer, name), fate, out
    );
    if (portal.returned() > 0) {
        wire::write_execute(out.to_server, name, static_cast<std::int32_t>(portal.returned()));
        expect(Awaited::execute, fate, true);
    }
}

void Session::bind_upstream(
    const std::string& text,
    const std::vector<std::uint32_t>& types,
    const wire::Bind& bind,
    Fate fate,
    Output& out
) {
    wire::write_close(out.to_server, 'S', portal_statement);
    expect(Awaited::close, fate, true);
    wire::write_parse(out.to_server, portal_statement, text, types);
    expect(Awaited::parse, fate, true);
    wire::write_bind(out.to_server, bind, portal_statement);
    expect(Awaited::bind, fate, true);
    wire::write_close(out.to_server, 'S', portal_statement);  // nothing of it for SQL to see
    expect(Awaited::close, fate, true);
    if (bind.portal.empty()) {
        unnamed_.portal_open = true;
        unnamed_.portal_stale = false;
    } else {
        named_upstream_ = true;
    }
}

/// Something of that name is there, so that Postgres refuses what comes next: in the words of its
/// own, and with its own effect on the transaction. Goes with that, wherever it goes back to.
void Session::take_name_upstream(wire::Bytes portal, Output& out) {
    batch_upstream_ = true;
    wire::Bind bind;
    bind.portal = portal;
    bind_upstream("SELECT", {}, bind, Fate::swallow, out);
}

Session::Taken Session::bind_twice(const wire::Frame& frame, wire::Bytes portal, Output& out) {
    if (replies_.has_barrier()) {
        return Taken::stall;  // which may end the transaction, and the portal
    }
    if (!replies_.empty()) {
        return await_replies(out);  // as may a COMMIT of its own batch
    }
    if (transaction_ != 'E') {  // where any Bind fails before its portal matters
        take_name_upstream(portal, out);
    }
    forward(frame, out);
    return Taken::yes;
}

std::optional<router::Reason> Session::refuse_portal(const Attempt& attempt) const {
    const bool named = !attempt.portal.empty();
    if (named && (named_upstream_ || portal_statements_ || unnamed_uses_portals_)) {
        return router::reason::named_portal;  // perhaps of the same name, or used by it
    }
    // Null of a function whose body is not known yet.
    const parser::NearestNeighbourQuery* const query = attempt.statement->statement.search();
    if (named && query != nullptr && attempt.search.limit * query->outputs.size() > constants_max) {
        return router::reason::named_portal;  // Postgres could not be given it
    }
    if (portals_.full() || replies_.size() > unanswered_max) {
        return router::reason::pipelined;
    }
    return std::nullopt;
}

/// Its text is not seen again when it is executed.
void Session::note_portal_use(const wire::Parse& parse) {
    const bool uses = may_use_portals(parse.text) || mentions_savepoint(parse.text);
    if (parse.statement.empty()) {
        unnamed_uses_portals_ = uses;
    } else {
        portal_statements_ = portal_statements_ || uses;
    }
}

}  // namespace veer::proxy::session
