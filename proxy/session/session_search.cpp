#include "proxy/session/session.hpp"
#include "proxy/wire/backend.hpp"
#include "router/bucket.hpp"
#include "router/rewrite.hpp"

#include <algorithm>

// Answering searches: the way of an Attempt.

namespace veer::proxy::session {

namespace {

constexpr wire::Bytes facts_statement = "veer_facts";
constexpr wire::Bytes rewritten_statement = "veer_rewritten";

/// Facts older than this are asked for again: so long can a REVOKE or DDL elsewhere stay unnoticed.
constexpr std::int64_t facts_age_max_ns = 1'000'000'000;

/// More keys than asked for, so that rows deleted a moment ago do not make the answer short.
std::uint64_t with_reserve(std::uint64_t wanted) {
    return wanted + std::max<std::uint64_t>(2, wanted / 8);
}

}  // namespace

std::optional<router::Reason> Session::prepare(Attempt& attempt, const wire::Bind* bind) {
    const auto* refusal =
        std::get_if<parser::Refusal>(&attempt.statement->statement.plan->recognition);
    if (refusal != nullptr) {
        return to_string(*refusal);
    }
    attempt.routes = router_.routes();
    attempt.route = attempt.routes->find(attempt.query());
    if (attempt.route == nullptr) {
        return router::reason::no_route;
    }
    std::vector<router::ParameterValue> parameters;
    if (bind != nullptr) {
        const std::vector<std::uint32_t>& types = attempt.statement->parameter_types;
        for (std::size_t i = 0; i < bind->parameters.size(); ++i) {
            const std::int16_t format = bind->parameter_format(i);
            if (format != 0 && format != 1) {
                return router::reason::format_code;
            }
            parameters.push_back(
                {.bytes = bind->parameters[i],
                 .binary = format == 1,
                 .declared_type = i < types.size() ? types[i] : 0}
            );
        }
    }
    auto filled = router::fill_in(
        attempt.query(),
        {.parameters = parameters, .literals = attempt.statement->statement.normalised.literals},
        *attempt.route,
        options_.wanted_max
    );
    if (const auto* why = std::get_if<router::Reason>(&filled)) {
        return *why;
    }
    attempt.search = std::get<router::Search>(std::move(filled));
    attempt.bucket = router::bucket(
        attempt.route->salt, attempt.statement->statement.plan->shape, attempt.search.vector
    );
    if (!router::outputs_known(*attempt.route, attempt.query())) {
        return router::reason::unknown_column;
    }
    return router::settled_without_facts(
        *attempt.route,
        attempt.routes->live,
        {.panic = router_.panic(),
         .transaction = transaction_,
         .utf8 = utf8_ && standard_strings_,
         .settings_touched = settings_touched_},
        attempt.bucket
    );
}

void Session::collect(const wire::Frame& frame, Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    bool belongs = false;
    if (frame.type == 'D' && !attempt.described && !attempt.executed) {
        const auto target = wire::decode_target(frame.payload);
        belongs = target && target->kind == 'P' && target->name == attempt.portal;
        attempt.described = belongs;
    } else if (frame.type == 'E' && !attempt.executed) {
        const auto execute = wire::decode_execute(frame.payload);
        belongs = execute && execute->portal == attempt.portal;
        attempt.executed = belongs;
        attempt.rows_max = belongs ? execute->rows_max : 0;
    } else if (frame.type == 'S' && attempt.executed) {
        attempt.held += frame.whole;
        consider(now, out);
        return;
    }
    if (belongs) {
        attempt.held += frame.whole;
        return;
    }
    pass(router::reason::pipelined, now, out);
    if (on_client_frame(frame, now, out) == Taken::stall) {
        // Nothing of a released batch can be served: forward it as well.
        forward(frame, out);
    }
}

void Session::consider(Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    const bool cut = attempt.rows_max > 0 &&
                     static_cast<std::uint64_t>(attempt.rows_max) <= attempt.search.limit;
    if (cut) {
        pass(router::reason::row_limit, now, out);
        return;
    }
    const bool facts_hold = facts_ && facts_routes_ == attempt.routes &&
                            facts_route_ == attempt.route->name &&
                            facts_epoch_ == router_.write_epoch() &&
                            now.nanoseconds - facts_taken_.nanoseconds < facts_age_max_ns;
    if (facts_hold) {
        judge(now, out);
    } else if (facts_broken_ && transaction_ != 'I') {
        pass(router::reason::facts, now, out);
    } else {
        ask_facts(out);
    }
}

void Session::ask_facts(Output& out) {
    Attempt& attempt = *attempt_;
    attempt.stage = Attempt::Stage::asking;
    attempt.write_epoch = router_.write_epoch();
    facts_row_.clear();
    facts_error_.clear();
    facts_failed_ = false;
    batch_failed_ = false;
    // After an error the server skips Close: what an earlier question left behind goes first.
    wire::write_close(out.to_server, 'S', facts_statement);
    expect(Awaited::close, Fate::swallow);
    wire::write_parse(out.to_server, facts_statement, attempt.route->facts_query, {});
    expect(Awaited::parse, Fate::swallow);
    wire::write_plain_bind(out.to_server, facts_statement, facts_statement);
    expect(Awaited::bind, Fate::swallow);
    wire::write_execute(out.to_server, facts_statement, 0);
    expect(Awaited::execute, Fate::facts);
    wire::write_close(out.to_server, 'P', facts_statement);
    expect(Awaited::close, Fate::swallow);
    wire::write_close(out.to_server, 'S', facts_statement);
    expect(Awaited::close, Fate::swallow);
    wire::write_sync(out.to_server);
    expect(Awaited::sync, Fate::facts);
    batch_upstream_ = false;  // this Sync ends what the client's Parse began
}

void Session::on_facts_ready(bool failed, Instant now, Output& out) {
    if (!attempt_ || attempt_->stage != Attempt::Stage::asking) {
        return;
    }
    if (batch_failed_ || !facts_error_.empty()) {
        out.to_client += facts_error_;
        abandon(out);
        drain_inbox(now, out);
        return;
    }
    const auto row = wire::decode_data_row(facts_row_);
    facts_ = !failed && row ? router::decode_facts(*attempt_->route, *row) : std::nullopt;
    facts_routes_ = attempt_->routes;
    facts_route_ = attempt_->route->name;
    facts_epoch_ = attempt_->write_epoch;
    facts_taken_ = now;
    if (!facts_) {
        pass(
            !failed && facts_row_.empty() ? router::reason::changed : router::reason::facts,
            now,
            out
        );
        drain_inbox(now, out);
        return;
    }
    judge(now, out);
    drain_inbox(now, out);
}

void Session::judge(Instant now, Output& out) {
    const auto decision =
        router::decide(*attempt_->route, attempt_->query(), *facts_, attempt_->bucket);
    if (const auto* why = std::get_if<router::Reason>(&decision)) {
        pass(*why, now, out);
        return;
    }
    attempt_->service = std::get<router::Service>(decision);
    if (!index_has_caught_up()) {
        attempt_->stage = Attempt::Stage::waiting;
        out.wait = Wait{
            .position = facts_->token, .deadline = {now.nanoseconds + options_.freshness_wait_ns}};
        return;
    }
    serve(now, out);
}

bool Session::index_has_caught_up() {
    if (router_.covered(facts_epoch_)) {
        return true;
    }
    if (router_.applied() < facts_->token) {
        return false;
    }
    router_.note_covered(facts_epoch_);
    return true;
}

void Session::on_waited(Instant now, Output& out) {
    if (!attempt_ || attempt_->stage != Attempt::Stage::waiting) {
        return;
    }
    if (replies_.skipping()) {
        pass(router::reason::pipelined, now, out);  // the client's Parse has failed meanwhile
    } else if (!facts_) {
        pass(router::reason::facts, now, out);
    } else if (!index_has_caught_up()) {
        facts_.reset();
        pass(router::reason::behind, now, out);
    } else {
        serve(now, out);
    }
    emit_due(out);
    drain_inbox(now, out);
}

void Session::serve(Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    if (router_.routes() != attempt.routes) {
        pass(router::reason::not_live, now, out);  // a new copy or configuration has come meanwhile
        return;
    }
    const bool local = attempt.service == router::Service::local;
    const std::uint64_t wanted = attempt.search.wanted();
    const std::uint64_t asked = local ? wanted : with_reserve(wanted);
    const auto hits = attempt.route->column.index->search(
        attempt.search.vector, asked, std::max<std::uint64_t>(facts_->ef_search, asked)
    );
    if (!hits || hits->size() < wanted) {
        // Rows that pgvector's index does not hold (NULL, zero norm) may belong into a short
        // answer.
        pass(router::reason::short_answer, now, out);
        return;
    }
    if (local) {
        if (serve_locally(*hits, out)) {
            record("veer", router::reason::local, now);
            attempt_.reset();
        } else {
            pass(router::reason::format_code, now, out);
        }
    } else if (!serve_rewritten(*hits, out)) {
        pass(router::reason::rewrite_failed, now, out);
    }
}

bool Session::serve_locally(const std::vector<index::Hit>& hits, Output& out) {
    const Attempt& attempt = *attempt_;
    std::optional<wire::Bind> bind;
    std::span<const std::int16_t> formats;
    if (!attempt.simple) {
        wire::FrameHeader header;
        wire::peek_header(attempt.held, header);
        bind = wire::decode_bind(wire::frame_at(attempt.held, header).payload);
        formats = bind->result_formats;
    }
    const std::span<const index::Hit> rows(
        hits.begin() + static_cast<std::ptrdiff_t>(attempt.search.offset),
        hits.begin() + static_cast<std::ptrdiff_t>(attempt.search.wanted())
    );
    const auto found = router::answer_from_hits(attempt.query(), *attempt.route, rows, formats);
    if (!found) {
        return false;
    }
    LocalAnswer answer = to_messages(*found);
    if (attempt.simple) {
        out.to_client += answer.row_description + answer.rows;
        wire::write_ready_for_query(out.to_client, transaction_);
        unnamed_stale_ = true;
        return true;
    }
    std::string bytes;
    wire::write_bind_complete(bytes);
    bytes += attempt.described ? answer.row_description : "";
    bytes += answer.rows;
    emit_local(std::move(bytes), out);
    if (transaction_ != 'I') {
        portals_.insert_or_assign(
            attempt.portal,
            LocalPortal{.row_description = std::move(answer.row_description), .rows = {}}
        );
    }
    batch_local_ = true;
    std::string sync;
    wire::write_sync(sync);
    on_sync({.type = 'S', .payload = {}, .whole = sync}, out);
    return true;
}

bool Session::serve_rewritten(const std::vector<index::Hit>& hits, Output& out) {
    Attempt& attempt = *attempt_;
    const parser::NearestNeighbourQuery& query = attempt.query();
    const auto text = router::restrict_to_keys(
        attempt.statement->statement.text,
        attempt.statement->statement.normalised.original_position(query.where_position),
        query,
        *attempt.route,
        hits
    );
    if (!text) {
        return false;
    }
    attempt.rows_expected = attempt.search.limit;
    attempt.stage = Attempt::Stage::rewriting;
    batch_failed_ = false;
    if (attempt.simple) {
        wire::write_query(out.to_server, *text);
        expect(Awaited::query, Fate::stash, true);
        return true;
    }
    wire::FrameHeader header;
    wire::peek_header(attempt.held, header);
    const auto bind = wire::decode_bind(wire::frame_at(attempt.held, header).payload);
    wire::write_close(out.to_server, 'S', rewritten_statement);
    expect(Awaited::close, Fate::swallow, true);
    wire::write_parse(
        out.to_server, rewritten_statement, *text, attempt.statement->parameter_types
    );
    expect(Awaited::parse, Fate::swallow, true);
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
    return true;
}

void Session::stash(const wire::Frame& frame, Output& out) {
    attempt_->stash += frame.whole;
    if (frame.type == 'C') {
        const auto tag = wire::decode_command_complete(frame.payload);
        attempt_->stash_rows = tag ? wire::rows_of_tag(*tag) : std::nullopt;
    }
    if (attempt_->stash.size() > options_.stash_bytes_max) {
        release_stash(out);
    }
}

void Session::release_stash(Output& out) {
    // Too long to hold back: from here on it cannot be taken back.
    out.to_client += attempt_->stash;
    attempt_->stash.clear();
    attempt_->rows_expected = 0;
}

void Session::finish_rewritten(const wire::Frame& ready, Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    if (batch_failed_) {  // the client's own Parse failed; it has the error already
        out.to_client += ready.whole;
        attempt_.reset();
        drain_inbox(now, out);
        return;
    }
    const bool short_of_rows =
        !attempt.stash_failed && attempt.stash_rows.value_or(0) < attempt.rows_expected;
    const bool can_rerun = transaction_ != 'E' && attempt.rows_expected > 0;
    if ((attempt.stash_failed || short_of_rows) && can_rerun) {
        // Deleted rows, or whatever else: the statement as it came finds out what Postgres says.
        facts_.reset();
        pass(
            attempt.stash_failed ? router::reason::rewrite_failed : router::reason::short_answer,
            now,
            out
        );
        drain_inbox(now, out);
        return;
    }
    out.to_client += attempt.stash;
    out.to_client += ready.whole;
    record("veer", router::reason::rewrite, now);
    attempt_.reset();
    drain_inbox(now, out);
}

void Session::pass(router::Reason why, Instant now, Output& out) {
    const Attempt attempt = std::move(*attempt_);
    attempt_.reset();
    note_passed(why, attempt.route, attempt.started);
    last_.milliseconds = static_cast<double>(now.nanoseconds - attempt.started.nanoseconds) / 1e6;
    wire::Bytes rest = attempt.held;
    wire::FrameHeader header;
    while (wire::peek_header(rest, header) == wire::FrameStatus::ok) {
        forward_search(wire::frame_at(rest, header), out);
        rest.remove_prefix(header.whole_bytes);
    }
}

void Session::abandon(Output& out) {
    // The client's Parse failed: the server skipped the rest of the batch, up to the Sync of veer's
    // own question. The client's Sync is still owed its ReadyForQuery.
    attempt_.reset();
    wire::write_ready_for_query(out.to_client, transaction_);
}

void Session::record(std::string_view engine, router::Reason why, Instant now) {
    last_ = {
        .engine = engine,
        .reason = std::string(why),
        .route = attempt_->route->name,
        .percent = attempt_->route->percent,
        .milliseconds = static_cast<double>(now.nanoseconds - attempt_->started.nanoseconds) / 1e6};
    attempt_->route->counters->veer.fetch_add(1, std::memory_order_relaxed);
}

void Session::note_passed(router::Reason why, const router::Route* route, Instant started) {
    last_ = {
        .engine = "postgres",
        .reason = std::string(why),
        .route = route == nullptr ? "" : route->name,
        .percent = route == nullptr ? 0 : route->percent,
        .milliseconds = 0};
    passed_at_ = started;
    if (route != nullptr) {
        route->counters->postgres.fetch_add(1, std::memory_order_relaxed);
    }
}

}  // namespace veer::proxy::session
