#include "proxy/session/session.hpp"
#include "proxy/wire/backend.hpp"
#include "router/search_function.hpp"

#include <utility>

// Statements about functions of veer's own, which Postgres has not: each becomes the statement that
// says the same to Postgres, before anything else looks at it. So it is a search like any other, by
// any protocol, and Postgres' where the index does not answer.
//
//     Query | Parse ─▶ names no such function ─▶ as ever
//           └────────▶ has Postgres it?  (asked once, then known for a second) ─▶ yes: as ever
//                        └─ no ─▶ the SELECT in its place ─▶ as ever, errors without a position
//                             └─▶ nobody can do that: as it came, for Postgres to refuse; what the
//                                 client is told of it is the Complaint

namespace veer::proxy::session {

namespace {

/// Where Postgres has not said whether it has the function, it gets the call, and perhaps has it.
router::Complaint unknown_names() {
    return {
        .sqlstate = "55000",
        .message = "veer could not ask whether PostgreSQL has a function of this name",
        .hint = "Run the statement again, outside of a transaction and not in a pipeline."};
}

}  // namespace

/// Nothing: the frame goes its way as it is.
std::optional<Session::Taken> Session::translate(
    const wire::Frame& frame, wire::Bytes text, Instant now, Output& out
) {
    if (!parser::may_name_table_function(text) || !standard_strings_) {
        return std::nullopt;
    }
    const router::Statement statement = router_.read(text);
    if (!statement.plan->table_function) {
        return std::nullopt;
    }
    if (replies_.has_barrier()) {
        return Taken::stall;
    }
    const bool simple = frame.type == 'Q';
    const bool alone = replies_.empty() && !batch_upstream_;
    if (transaction_ == 'E' || (simple && !alone)) {
        return std::nullopt;
    }
    const router::TakenNames* const names = facts_.names(now);
    if (names != nullptr && !replies_.writer_pending()) {
        return translate_as(frame, statement, *names, now, out);
    }
    if (facts_broken_ && (transaction_ != 'I' || !alone)) {
        return take_text(
            frame, std::make_shared<const router::Complaint>(unknown_names()), now, out
        );
    }
    Attempt attempt;
    attempt.simple = simple;
    attempt.alone = alone;
    attempt.asks_names = true;
    attempt.started = now;
    attempt.held = frame.whole;
    attempt.statement = std::make_shared<PreparedStatement>();
    attempt_ = std::move(attempt);
    ask(std::string(router::taken_names_query()), out);
    return Taken::yes;
}

Session::Taken Session::translate_as(
    const wire::Frame& frame,
    const router::Statement& statement,
    const router::TakenNames& names,
    Instant now,
    Output& out
) {
    const parser::TableFunction& function = *statement.plan->table_function;
    if (router::is_taken(names, function)) {
        return take_text(frame, nullptr, now, out);
    }
    auto text = router::search_text(statement, function, *router_.routes(), utf8_, names.path);
    if (auto* const why = std::get_if<router::Complaint>(&text)) {
        return take_text(
            frame, std::make_shared<const router::Complaint>(std::move(*why)), now, out
        );
    }
    std::string bytes;
    if (frame.type == 'Q') {
        wire::write_query(bytes, std::get<std::string>(text));
    } else {
        const auto parse = wire::decode_parse(frame.payload);
        wire::write_parse(
            bytes, parse->statement, std::get<std::string>(text), parse->parameter_types
        );
    }
    wire::FrameHeader header;
    wire::peek_header(bytes, header);
    // Positions in messages are of a text that the client has not sent.
    static const auto no_position = std::make_shared<const router::Complaint>();
    return take_text(wire::frame_at(bytes, header), no_position, now, out);
}

Session::Taken Session::take_text(
    const wire::Frame& frame,
    std::shared_ptr<const router::Complaint> wording,
    Instant now,
    Output& out
) {
    if (frame.type == 'Q') {
        const auto query = wire::decode_query(frame.payload);
        return on_query_text(frame, query->text, std::move(wording), now, out);
    }
    const auto parse = wire::decode_parse(frame.payload);
    return on_parse_text(frame, *parse, std::move(wording), now, out);
}

void Session::on_names_ready(bool failed, Instant now, Output& out) {
    const Attempt attempt = std::move(*attempt_);
    attempt_.reset();
    const auto row = failed ? std::nullopt : wire::decode_data_row(facts_row_);
    const bool told = row && row->size() == 2 && row->front() && row->back();
    wire::FrameHeader header;
    wire::peek_header(attempt.held, header);
    const wire::Frame frame = wire::frame_at(attempt.held, header);
    const wire::Bytes text = attempt.simple ? wire::decode_query(frame.payload)->text
                                            : wire::decode_parse(frame.payload)->text;
    Taken taken = Taken::yes;
    if (told) {
        const router::TakenNames names = router::decode_taken_names(*row->front(), *row->back());
        facts_.put(names, now);
        taken = translate_as(frame, router_.read(text), names, now, out);
    } else {
        const bool ended = !facts_error_.empty();
        taken = take_text(
            frame,
            std::make_shared<const router::Complaint>(
                ended ? said_by(facts_error_) : unknown_names()
            ),
            now,
            out
        );
    }
    if (taken != Taken::yes) {
        inbox_ = attempt.held + inbox_;
        stalled_ = taken == Taken::stall;
    }
    drain_inbox(now, out);
}

/// What has ended the question would have ended the client's own Parse.
router::Complaint Session::said_by(wire::Bytes error) {
    wire::FrameHeader header;
    wire::peek_header(error, header);
    wire::Diagnostics said = wire::decode_diagnostics(wire::frame_at(error, header).payload);
    return {.sqlstate = std::move(said.sqlstate), .message = std::move(said.message), .hint = {}};
}

/// An ErrorResponse in the words that the client's own statement is to be answered with.
std::string Session::worded(const wire::Frame& error, const router::Complaint& wording) {
    const std::string sqlstate = wire::decode_diagnostics(error.payload).sqlstate;
    std::string bytes;
    // That there is no such schema or function, or that veer's question has failed the transaction;
    // what else goes wrong, perhaps with another statement of the same Query, is Postgres' to say.
    const bool asked_in_vain = wording.sqlstate.starts_with("5");
    const bool of_veers = wording.whole ? sqlstate == "42601"
                                        : sqlstate == "42883" || sqlstate == "3F000" ||
                                              (sqlstate == "25P02" && asked_in_vain);
    if (wording.sqlstate.empty() || !of_veers) {
        wire::write_error_at(bytes, error.payload, 0);
    } else {
        wire::write_error(bytes, wording.sqlstate, wording.message, wording.hint);
    }
    return bytes;
}

}  // namespace veer::proxy::session
