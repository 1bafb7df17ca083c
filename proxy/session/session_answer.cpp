#include "proxy/session/session.hpp"
#include "proxy/wire/backend.hpp"
#include "router/candidate.hpp"
#include "router/rewrite.hpp"
#include "router/several_vectors.hpp"

#include <algorithm>
#include <charconv>

// The answer of an Attempt: veer's own rows, or Postgres' rows under the keys that veer found.

namespace veer::proxy::session {

namespace {

constexpr wire::Bytes rewritten_statement = "veer_rewritten";

}  // namespace

void Session::serve(const std::vector<index::Hit>& hits, Instant now, Output& out) {
    const Attempt& attempt = *attempt_;
    if (attempt.service == router::Service::rewrite) {
        auto text = router::restrict_to_keys(
            attempt.statement->statement.text,
            attempt.statement->statement.clauses(),
            attempt.query(),
            *attempt.route,
            hits
        );
        if (!serve_rewritten(std::move(text), out)) {
            pass(router::reason::rewrite_failed, now, out);
        }
    } else if (serve_locally(hits, out)) {
        record("veer", router::reason::local, now);
        attempt_.reset();
    } else {
        pass(router::reason::format_code, now, out);
    }
}

void Session::serve_each(Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    auto text = router::restrict_each_to_keys(
        attempt.statement->statement.text,
        attempt.statement->statement.clauses(),
        attempt.query(),
        *attempt.route,
        attempt.search,
        attempt.hits,
        attempt.facts.extension_schema
    );
    attempt.hits.clear();
    if (!serve_rewritten(std::move(text), out)) {
        pass(router::reason::rewrite_failed, now, out);
    }
}

bool Session::serve_locally(const std::vector<index::Hit>& hits, Output& out) {
    const Attempt& attempt = *attempt_;
    const auto bind =
        attempt.simple ? std::nullopt : wire::decode_bind(attempt.bind_frame().payload);
    const std::span<const index::Hit> rows(
        hits.begin() + static_cast<std::ptrdiff_t>(attempt.search.offset),
        hits.begin() + static_cast<std::ptrdiff_t>(attempt.search.wanted())
    );
    const auto found = router::answer_from_hits(
        attempt.query(),
        *attempt.route,
        rows,
        bind ? std::span<const std::int16_t>(bind->result_formats) : std::span<const std::int16_t>()
    );
    if (!found) {
        return false;
    }
    LocalAnswer answer = to_messages(*found);
    answer.notice = notice_of_answer(router::reason::local);
    if (!attempt.simple) {
        give_portal(std::move(answer), out);
        return true;
    }
    out.to_client += answer.all();
    wire::write_ready_for_query(out.to_client, transaction_);
    forget_unnamed();
    return true;
}

void Session::give_portal(LocalAnswer answer, Output& out) {
    const Attempt& attempt = *attempt_;
    // A portal that its own Sync ends need not be kept.
    const bool fleeting = attempt.synced && transaction_ == 'I' && !batch_upstream_;
    std::string bytes;
    wire::write_bind_complete(bytes);
    if (attempt.described) {
        bytes += answer.row_description;
    }
    LocalPortal portal(std::move(answer), nullptr);
    if (attempt.executed) {
        bytes += portal.execute(attempt.rows_max);
    }
    if (attempt.portal.empty()) {
        remember_unnamed();
        unnamed_.lose_portal();
    }
    emit_local(std::move(bytes), out);
    if (!fleeting) {
        portals_.put(attempt.portal, std::move(portal));
    }
    batch_local_ = true;
    if (attempt.synced) {
        std::string sync;
        wire::write_sync(sync);
        on_sync({.type = 'S', .payload = {}, .whole = sync}, out);
    }
}

/// `text`: the statement under its keys, or nothing where one is not readable.
bool Session::serve_rewritten(std::optional<std::string> text, Output& out) {
    Attempt& attempt = *attempt_;
    const parser::NearestNeighbourQuery& query = attempt.query();
    if (!text) {
        return false;
    }
    attempt.rows_expected = attempt.search.rows_expected();
    attempt.stage = Attempt::Stage::rewriting;
    batch_failed_ = false;
    attempt.rewritten = *std::move(text);
    if (!query.wrapped || query.all_rows_shown) {
        run_rewritten(out);
        return true;
    }
    if (router::shares_inferred_parameters(
            attempt.statement->statement.text,
            attempt.statement->statement.clauses(),
            attempt.statement->parameter_types
        )) {
        return false;  // alone, the search could be another: its parameters' types may differ
    }
    ask_count(out);
    return true;
}

/// How many rows the search has is asked before the statement around it is run.
void Session::ask_count(Output& out) {
    const Attempt& attempt = *attempt_;
    const router::Statement& statement = attempt.statement->statement;
    const auto bind =
        attempt.simple ? std::nullopt : wire::decode_bind(attempt.bind_frame().payload);
    const std::string text = router::count_rows(
        attempt.rewritten,
        statement.clauses(),
        statement.text.size(),
        bound_parameters(attempt, bind ? &*bind : nullptr)
    );
    if (attempt.simple) {
        see_query();
        wire::write_query(out.to_server, text);
        expect(Awaited::query, Fate::count, true);
        return;
    }
    wire::write_close(out.to_server, 'S', rewritten_statement);
    expect(Awaited::close, Fate::swallow, true);
    wire::write_parse(out.to_server, rewritten_statement, text, attempt.statement->parameter_types);
    expect(Awaited::parse, Fate::swallow, true);
    wire::Bind counted = *bind;
    counted.result_formats.clear();
    counted.portal = rewritten_statement;
    wire::write_bind(out.to_server, counted, rewritten_statement);
    expect(Awaited::bind, Fate::swallow, true);
    wire::write_execute(out.to_server, rewritten_statement, 0);
    expect(Awaited::execute, Fate::count, true);
    wire::write_close(out.to_server, 'P', rewritten_statement);
    expect(Awaited::close, Fate::swallow, true);
    wire::write_close(out.to_server, 'S', rewritten_statement);
    expect(Awaited::close, Fate::swallow, true);
    wire::write_sync(out.to_server);
    expect(Awaited::sync, Fate::count, true);
    batch_upstream_ = batch_bound_ = false;
}

void Session::note_count(const wire::Frame& frame) {
    const auto row = frame.type == 'D' ? wire::decode_data_row(frame.payload) : std::nullopt;
    if (row && row->size() == 1 && row->front()) {
        std::uint64_t count = 0;
        std::from_chars(row->front()->data(), row->front()->data() + row->front()->size(), count);
        attempt_->stash_rows = count;
    }
}

void Session::finish_count(const wire::Frame& ready, Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    if (batch_failed_ || (attempt.stash_failed && (transaction_ == 'E' || attempt.final))) {
        out.to_client += attempt.stash;  // an error that cannot be taken back
        note_own_error();
        out.to_client += ready.whole;
        attempt_.reset();
    } else if (!attempt.stash_failed && attempt.stash_rows.value_or(0) >= attempt.rows_expected) {
        attempt.stash_rows.reset();
        run_rewritten(out);
        return;
    } else if (attempt.stash_failed || !refill(out)) {
        facts_.clear();
        pass(
            attempt.stash_failed ? router::reason::rewrite_failed : router::reason::short_answer,
            now,
            out
        );
    } else {
        return;
    }
    drain_inbox(now, out);
}

void Session::run_rewritten(Output& out) {
    const Attempt& attempt = *attempt_;
    const std::string& text = attempt.rewritten;
    if (attempt.simple) {
        see_query();
        wire::write_query(out.to_server, text);
        expect(Awaited::query, Fate::stash, true);
        return;
    }
    const auto bind = wire::decode_bind(attempt.bind_frame().payload);
    if (!attempt.statement->name.empty()) {
        // Postgres refuses a prepared statement whose result is of other types than at its Parse;
        // the rewritten one is parsed anew. To describe the client's own makes Postgres look.
        wire::write_describe(out.to_server, 'S', attempt.statement->name);
        expect(Awaited::describe_statement, Fate::swallow, true);
    }
    wire::write_close(out.to_server, 'S', rewritten_statement);
    expect(Awaited::close, Fate::swallow, true);
    wire::write_parse(out.to_server, rewritten_statement, text, attempt.statement->parameter_types);
    expect(Awaited::parse, Fate::swallow, true);
    note_forwarded_bind(attempt.bind_frame());
    wire::write_bind(out.to_server, *bind, rewritten_statement);
    expect(Awaited::bind, Fate::stash, true);
    if (attempt.described) {
        wire::write_describe(out.to_server, 'P', attempt.portal);
        expect(Awaited::describe_portal, Fate::stash, true);
    }
    wire::write_execute(out.to_server, attempt.portal, attempt.rows_max);
    expect(Awaited::execute, Fate::stash, true);
    wire::write_close(out.to_server, 'S', rewritten_statement);
    expect(Awaited::close, Fate::swallow, true);
    wire::write_sync(out.to_server);
    expect(Awaited::sync, Fate::stash, true);
    batch_upstream_ = batch_bound_ = false;
}

void Session::stash(const wire::Frame& frame, Output& out) {
    if (frame.type == 'C') {
        const auto tag = wire::decode_command_complete(frame.payload);
        attempt_->stash_rows = tag ? wire::rows_of_tag(*tag) : std::nullopt;
    }
    if (attempt_->stash_overflow) {
        return;
    }
    if (frame.type == 'C') {
        attempt_->stash += notice_of_answer(router::reason::rewrite);
    }
    if (frame.type == 'T' && attempt_->called != nullptr) {
        wire::write_row_description_of_function(attempt_->stash, frame.payload);
    } else {
        attempt_->stash += frame.whole;
    }
    if (attempt_->stash.size() > options_.stash_bytes_max) {
        overflow_stash(out);
    }
}

void Session::overflow_stash(Output& out) {
    Attempt& attempt = *attempt_;
    // Whether it is complete only its end will tell, where rows are dropped on the way, or where
    // one of several vectors may have fewer than the others.
    if (attempt.query().narrows() || attempt.query().several) {
        attempt.stash_overflow = true;
    } else {
        // From here on it cannot be taken back; only rows deleted a moment ago could be missing.
        out.to_client += attempt.stash;
        attempt.final = true;
    }
    attempt.stash.clear();
}

/// Asks for more keys, if there are any and they would not be too many.
bool Session::refill(Output& out) {
    Attempt& attempt = *attempt_;
    // Of several vectors the average: which of them fell short is not known.
    const std::uint64_t kept =
        attempt.stash_rows.value_or(0) / attempt.search.vectors() + attempt.search.offset;
    router::Selectivity& selectivity = *attempt.statement->statement.plan->selectivity;
    selectivity.note_short(kept, attempt.found);
    const std::uint64_t more =
        router::more_candidates(attempt.search.wanted(), kept, attempt.candidates);
    const bool exhausted = attempt.found < attempt.candidates;
    if (exhausted || attempt.stash_overflow || attempt.candidates >= candidates_max() ||
        !admitted()) {
        return false;
    }
    attempt.stash.clear();
    attempt.stash_rows.reset();
    look_for(std::min(more, candidates_max()), out);
    return true;
}

/// A client gets an error of veer's making, which a guard has to know of.
void Session::note_own_error() {
    if (attempt_->own_error) {
        attempt_->route->traffic->client_errors.fetch_add(1, std::memory_order_relaxed);
    }
}

void Session::finish_rewritten(const wire::Frame& ready, Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    if (batch_failed_) {  // the client's own Parse failed; it has the error already
        out.to_client += ready.whole;
        attempt_.reset();
        drain_inbox(now, out);
        return;
    }
    const bool counted = attempt.query().wrapped && !attempt.query().all_rows_shown;
    const bool short_of_rows =
        !attempt.stash_failed && !counted && attempt.stash_rows.value_or(0) < attempt.rows_expected;
    const bool narrows = attempt.query().narrows();
    const bool can_rerun = transaction_ != 'E' && !attempt.final;
    if (short_of_rows && can_rerun && narrows && refill(out)) {
        return;
    }
    if ((attempt.stash_failed || short_of_rows || attempt.stash_overflow) && can_rerun) {
        // Deleted rows, or whatever else: the statement as it came finds out what Postgres says.
        facts_.clear();
        pass(
            attempt.stash_failed ? router::reason::rewrite_failed : router::reason::short_answer,
            now,
            out
        );
        drain_inbox(now, out);
        return;
    }
    if (narrows && !attempt.stash_failed) {
        attempt.statement->statement.plan->selectivity->note_full();
    }
    out.to_client += attempt.stash;
    out.to_client += ready.whole;
    note_own_error();
    record("veer", router::reason::rewrite, now);
    attempt_.reset();
    drain_inbox(now, out);
}

}  // namespace veer::proxy::session
