#include "proxy/session/session.hpp"
#include "proxy/wire/backend.hpp"
#include "router/candidate.hpp"
#include "router/observe.hpp"

#include <algorithm>

// Answering searches: the way of an Attempt.

namespace veer::proxy::session {

namespace {

constexpr wire::Bytes facts_statement = "veer_facts";

}  // namespace

std::vector<router::ParameterValue> Session::bound_parameters(
    const Attempt& attempt, const wire::Bind* bind
) const {
    std::vector<router::ParameterValue> parameters;
    if (bind == nullptr) {
        return parameters;
    }
    const std::vector<std::uint32_t>& types = attempt.statement->parameter_types;
    for (std::size_t i = 0; i < bind->parameters.size(); ++i) {
        parameters.push_back(
            {.bytes = bind->parameters[i],
             .binary = bind->parameter_format(i) == 1,
             .declared_type = i < types.size() ? types[i] : 0}
        );
    }
    return parameters;
}

std::optional<router::Reason> Session::prepare(Attempt& attempt, const wire::Bind* bind) {
    const auto* refusal =
        std::get_if<parser::Refusal>(&attempt.statement->statement.plan->recognition);
    if (refusal != nullptr && attempt.statement->statement.call() == nullptr) {
        return to_string(*refusal);
    }
    attempt.routes = router_.routes();
    if (refusal != nullptr) {
        const auto why = put_body(attempt, *refusal);
        if (why || attempt.asks_function) {
            return why;
        }
    }
    const router::Route* const route = attempt.routes->find(attempt.query());
    if (const auto why = router::refuse_order(route, attempt.query())) {
        return *why;
    }
    attempt.route = route;
    if (attempt.route == nullptr) {
        return router::reason::no_route;
    }
    if (const auto why = prepare_function(attempt)) {
        return why;
    }
    const std::vector<router::ParameterValue> parameters = bound_parameters(attempt, bind);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const std::int16_t format = bind->parameter_format(i);
        if (format != 0 && format != 1) {
            return router::reason::format_code;
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
    attempt.bucket = router::first_bucket(
        *attempt.route,
        attempt.statement->statement.hint,
        attempt.statement->statement.plan->shape,
        attempt.search.vector
    );
    const bool stored = attempt.query().vector.stored.has_value();
    if (stored) {
        if (const auto why = prepare_stored(attempt, parameters)) {
            return *why;
        }
    }
    if (!router::outputs_known(*attempt.route, attempt.query())) {
        return router::reason::unknown_column;
    }
    if (router_.comparison() != nullptr && !stored && !attempt.query().cast.to_half) {
        observe(attempt);
    }
    return settled_without_facts(attempt);
}

std::optional<router::Reason> Session::settled_without_facts(const Attempt& attempt) const {
    return router::settled_without_facts(
        *attempt.route,
        {.transaction = transaction_,
         .utf8 = utf8_ && standard_strings_,
         .settings_touched = settings_touched_},
        asked(attempt)
    );
}

/// What is asked beside the route's own facts.
std::string Session::facts_condition(const Attempt& attempt) {
    return router::joined_condition(attempt.query()) + attempt.function_condition;
}

/// Whether veer's own answer has the types that Postgres gave the statement at Parse: since then a
/// key may have become another type.
bool Session::described_alike(const Attempt& attempt) {
    const auto& then = attempt.statement->routes;
    if (attempt.simple || then == attempt.routes) {
        return true;
    }
    const router::Route* const route = then == nullptr ? nullptr : then->find(attempt.query());
    return route != nullptr && router::same_output_types(*route, *attempt.route, attempt.query());
}

/// Whether the parameters that Postgres inferred at Parse are what veer takes them for: it keeps
/// them when a column becomes another one.
bool Session::inferred_alike(const Attempt& attempt) {
    const auto& then = attempt.statement->routes;
    if (attempt.simple || then == attempt.routes || then == nullptr) {
        return true;
    }
    const router::Route* const route = then->find(attempt.query());
    return route == nullptr || router::same_column_types(*route, *attempt.route);
}

router::Asked Session::asked(const Attempt& attempt) const {
    const router::Statement& statement = attempt.statement->statement;
    const auto* const search = statement.search();  // none of a call whose body is not known yet
    return {
        .bucket = attempt.bucket,
        .hint = &statement.hint,
        .shape = statement.plan->shape_id,
        .k = attempt.search.limit,
        .filtered = search != nullptr && search->clauses.condition.has_value(),
        .session = backend_key_,
        .client = client_address_,
        .counted = !attempt.explains,
        .told = attempt.search.told ? &*attempt.search.told : nullptr};
}

Session::Taken Session::collect(const wire::Frame& frame, Instant now, Output& out) {
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
    } else if (frame.type == 'S' && attempt.executed && frame.payload.empty()) {
        attempt.synced = true;
        attempt.held += frame.whole;
        consider(now, out);
        return Taken::yes;
    }
    if (belongs) {
        attempt.held += frame.whole;
        return Taken::yes;
    }
    const bool flushed = frame.type == 'H' && frame.payload.empty();
    if ((attempt.executed && frame.type != 'X') || flushed) {
        consider(now, out);
    } else {
        pass(router::reason::pipelined, now, out);
    }
    return attempt_ ? Taken::later : on_client_frame(frame, now, out);
}

void Session::consider(Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    attempt.alone =
        attempt.simple || (attempt.synced && !batch_bound_ && replies_.only_preparation());
    if (consider_notices(now, out)) {
        return;
    }
    if (attempt.asks_function) {
        ask_function(now, out);
        return;
    }
    const std::uint64_t epoch = router_.write_epoch();
    const KnownFacts* const known =
        replies_.writer_pending()
            ? nullptr
            : facts_.find(attempt.routes, *attempt.route, facts_condition(attempt), epoch, now);
    if (known != nullptr) {
        attempt.facts = known->facts;
        attempt.facts_epoch = epoch;
        judge(now, out);
    } else if (facts_broken_ && (transaction_ != 'I' || !attempt.alone)) {
        pass(router::reason::facts, now, out);
    } else {
        ask_facts(out);
    }
}

void Session::ask_facts(Output& out) {
    const Attempt& attempt = *attempt_;
    ask(attempt.route->facts_query + facts_condition(attempt), out);
}

void Session::ask(const std::string& question, Output& out) {
    ask(question, {}, {}, out);
}

void Session::ask(
    const std::string& question,
    const std::vector<std::uint32_t>& parameter_types,
    wire::Bind bind,
    Output& out
) {
    Attempt& attempt = *attempt_;
    attempt.stage = Attempt::Stage::asking;
    if (replies_.writer_pending()) {
        router_.note_write();  // its commit may come between here and the answer
    }
    attempt.write_epoch = router_.write_epoch();
    facts_row_.clear();
    facts_error_.clear();
    facts_failed_ = false;
    batch_failed_ = false;
    // After an error the server skips Close: what an earlier question left behind goes first.
    wire::write_close(out.to_server, 'S', facts_statement);
    expect(Awaited::close, Fate::swallow);
    wire::write_parse(out.to_server, facts_statement, question, parameter_types);
    expect(Awaited::parse, Fate::swallow);
    bind.portal = facts_statement;
    bind.result_formats.clear();
    wire::write_bind(out.to_server, bind, facts_statement);
    expect(Awaited::bind, Fate::swallow);
    wire::write_execute(out.to_server, facts_statement, 0);
    expect(Awaited::execute, Fate::facts, true);
    wire::write_close(out.to_server, 'P', facts_statement);
    expect(Awaited::close, Fate::swallow);
    wire::write_close(out.to_server, 'S', facts_statement);
    if (attempt.alone) {
        expect(Awaited::close, Fate::swallow);
        wire::write_sync(out.to_server);
        expect(Awaited::sync, Fate::facts);
        batch_upstream_ = false;  // this Sync ends what the client's Parse began
    } else {
        // In the middle of the client's batch: a Sync would commit what came before.
        expect(Awaited::close, Fate::facts);
        wire::write_flush(out.to_server);
        batch_upstream_ = true;
    }
}

void Session::on_facts_ready(bool failed, Instant now, Output& out) {
    if (!attempt_ || attempt_->stage != Attempt::Stage::asking) {
        return;
    }
    Attempt& attempt = *attempt_;
    const bool only_parsed =  // its Sync is still to come
        (attempt.asks_names || attempt.asks_management) && !attempt.simple;
    if ((batch_failed_ || !facts_error_.empty()) && !only_parsed) {
        out.to_client += facts_error_;
        abandon(out);
        drain_inbox(now, out);
        return;
    }
    if (on_other_answer(failed, now, out)) {
        return;
    }
    const auto row = wire::decode_data_row(facts_row_);
    const auto facts = !failed && row ? router::decode_facts(*attempt.route, *row) : std::nullopt;
    if (!facts) {
        const bool gone = !failed && facts_row_.empty();
        pass(gone ? note_gone() : router::reason::facts, now, out);
        drain_inbox(now, out);
        return;
    }
    attempt.facts = *facts;
    attempt.facts_epoch = attempt.write_epoch;
    facts_of_batch_ = facts_of_batch_ || !attempt.alone;
    facts_.put(
        {.facts = *facts,
         .routes = attempt.routes,
         .route = attempt.route,
         .joined = facts_condition(attempt),
         .epoch = attempt.write_epoch,
         .taken = now}
    );
    judge(now, out);
    drain_inbox(now, out);
}

void Session::judge(Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    if (attempt.explains) {
        pass(foresee(), now, out);
        return;
    }
    attempt.facts.ef_search =
        attempt.statement->statement.hint.ef.value_or(attempt.facts.ef_search);
    if (attempt.observed) {
        attempt.observed->ef_search = attempt.facts.ef_search;
    }
    if (!attempt.simple && statement_named(attempt.statement->name) != attempt.as_sent()) {
        pass(router::reason::changed, now, out);  // DEALLOCATE came before it in the batch
        return;
    }
    if (!inferred_alike(attempt)) {
        pass(router::reason::changed, now, out);
        return;
    }
    if (const auto why = choose_service()) {
        pass(*why, now, out);
        return;
    }
    if (attempt.service == router::Service::local && !described_alike(attempt)) {
        attempt.service = router::Service::rewrite;  // in which Postgres looks at its result again
    }
    if (!attempt.simple && attempt.called == nullptr &&
        !replies_.pending_statement(attempt.statement->name)) {
        attempt.routes->accepted->note_parsed(
            attempt.statement->statement.text, attempt.statement->parameter_types
        );
    }
    if (const auto why = refuse_rewrite()) {
        pass(*why, now, out);
    } else if (attempt.query().vector.stored) {
        ask_vector(now, out);
    } else {
        await_index(now, out);
    }
}

void Session::await_index(Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    const config::Freshness freshness =
        router::freshness_of(attempt.facts.freshness, attempt.route->freshness);
    if (follows_another()) {
        pass(router::reason::other_timeline, now, out);
        return;
    }
    if (attempt.route->candidate && freshness.kind != config::Freshness::Kind::eventual) {
        pass(router::reason::behind, now, out);  // how far the other server is, nobody can tell
        return;
    }
    if (freshness.kind == config::Freshness::Kind::bounded &&
        !router_.freshness().holds(
            router_.applied(), freshness.bound, std::chrono::nanoseconds{now.nanoseconds}
        )) {
        pass(router::reason::behind, now, out);
        return;
    }
    if (freshness.kind == config::Freshness::Kind::causal && !index_has_caught_up()) {
        attempt.stage = Attempt::Stage::waiting;
        // Postgres, when it gets the statement, is to have a good part of its own timeout left.
        const std::int64_t patience =
            std::min(options_.freshness_wait_ns, attempt.facts.statement_timeout_ns / 4);
        out.wait = Wait{.position = attempt.facts.token, .deadline = {now.nanoseconds + patience}};
        return;
    }
    search(now, out);
}

/// By the facts. A Reason: Postgres answers.
std::optional<router::Reason> Session::choose_service() {
    Attempt& attempt = *attempt_;
    const auto decision = router::decide(
        *attempt.routes,
        *attempt.route,
        attempt.query(),
        attempt.facts,
        asked(attempt),
        attempt.search.complete()
    );
    if (const auto* why = std::get_if<router::Reason>(&decision)) {
        return *why;
    }
    attempt.service = std::get<router::Service>(decision);
    if (!attempt.facts.copies_hold) {
        attempt.search.rows = {.whole = !attempt.query().narrows()};
        if (attempt.observed && attempt.observed->filter) {
            attempt.observed.reset();  // what the index will find is not what was asked for
        }
    }
    return std::nullopt;
}

std::optional<router::Reason> Session::refuse_rewrite() const {
    const Attempt& attempt = *attempt_;
    if (attempt.service == router::Service::local) {
        return std::nullopt;
    }
    if (attempt.route->exceeds(attempt.query())) {
        return router::reason::half_migrated;
    }
    if (attempt.query().may_raise && transaction_ != 'I') {
        return router::reason::may_raise;
    }
    if (attempt.simple) {
        return std::nullopt;
    }
    if (!attempt.portal.empty()) {
        return router::reason::named_portal;
    }
    // How many rows there are around a search is not told by its LIMIT.
    const bool cut =
        attempt.rows_max > 0 &&
        ((attempt.query().wrapped && !attempt.query().all_rows_shown) ||
         static_cast<std::uint64_t>(attempt.rows_max) <= attempt.search.rows_expected());
    if (cut || !attempt.executed) {
        return router::reason::row_limit;  // whether it falls short would not be seen
    }
    if (!attempt.alone) {
        return router::reason::pipelined;  // it could not be asked again
    }
    return std::nullopt;
}

/// Positions of two timelines say nothing of each other.
bool Session::follows_another() const {
    return !attempt_->route->candidate && attempt_->facts.timeline != router_.timeline();
}

bool Session::index_has_caught_up() {
    if (!attempt_->token_is_newer && router_.covered(attempt_->facts_epoch)) {
        return true;
    }
    if (router_.applied() < attempt_->facts.token) {
        return false;
    }
    router_.note_covered(attempt_->facts_epoch);
    return true;
}

void Session::on_waited(Instant now, Output& out) {
    if (!attempt_ || attempt_->stage != Attempt::Stage::waiting) {
        return;
    }
    if (replies_.skipping()) {
        pass(router::reason::pipelined, now, out);  // the client's Parse has failed meanwhile
    } else if (follows_another()) {
        pass(router::reason::other_timeline, now, out);
    } else if (!index_has_caught_up()) {
        facts_.clear();
        pass(router::reason::behind, now, out);
    } else {
        search(now, out);
    }
    emit_due(out);
    drain_inbox(now, out);
}

void Session::search(Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    // Routes may have come and gone meanwhile, and the configuration.
    if (const auto routes = router_.routes(); routes != attempt.routes) {
        const router::Route* const route = routes->find(attempt.query());
        if (route == nullptr || !route->same_answers(*attempt.route)) {
            pass(router::reason::not_live, now, out);
            return;
        }
    }
    attempt.arrivals = attempt.route->unparsable_arrivals();
    if (!attempt.route->all_parse()) {  // what came while it waited counts, too
        pass(router::reason::unparsable, now, out);
        return;
    }
    if (router::unplaced_rows_lead(*attempt.route, attempt.query())) {
        pass(router::reason::unplaced_rows, now, out);
        return;
    }
    const std::uint64_t rows = first_candidates();
    if (const auto why = refuse_candidates(rows)) {
        pass(*why, now, out);
        return;
    }
    attempt.searched = now;
    if (!admitted()) {
        pass(router::reason::engine_busy, now, out);
        return;
    }
    look_for(rows, out);
}

void Session::pass(router::Reason why, Instant now, Output& out) {
    Attempt attempt = std::move(*attempt_);
    attempt_.reset();
    if (attempt.explains) {
        tell_of_explain(attempt, why);
    }
    note_passed(attempt.settled.value_or(why), attempt, attempt.started);
    last_.milliseconds = static_cast<double>(now.nanoseconds - attempt.started.nanoseconds) / 1e6;
    if (attempt.settled && attempt.simple) {
        note_text(attempt.held);
    }
    const bool searches = !attempt.explains && attempt.as_sent()->statement.search() != nullptr;
    wire::Bytes rest = attempt.held;
    wire::FrameHeader header;
    while (wire::peek_header(rest, header) == wire::FrameStatus::ok) {
        const wire::Frame frame = wire::frame_at(rest, header);
        if (frame.type == 'Q') {
            wording_ = attempt.as_sent()->wording;
        }
        if (searches) {
            forward_search(frame, attempt, now, out);
        } else {
            forward(frame, out);
        }
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
        .percent = attempt_->route->traffic->share(),
        .milliseconds = static_cast<double>(now.nanoseconds - attempt_->started.nanoseconds) / 1e6};
    attempt_->route->traffic->veer.fetch_add(1, std::memory_order_relaxed);
    router_.reasons().count(last_.route, engine, why);
    attempt_->statement->statement.plan->tally->veer.fetch_add(1, std::memory_order_relaxed);
    write_receipt(*attempt_, now.nanoseconds);
    if (attempt_->observed) {
        attempt_->observed->served_by_veer = true;
        offer(std::move(attempt_->observed), last_.milliseconds);
    }
}

void Session::note_found(const std::vector<index::Hit>& hits, Instant now) {
    if (attempt_->observed) {
        if (!attempt_->observed->search_ms) {
            attempt_->observed->search_ms =
                static_cast<double>(now.nanoseconds - attempt_->searched.nanoseconds) / 1e6;
        }
        const auto wanted = static_cast<std::ptrdiff_t>(attempt_->search.wanted());
        attempt_->observed->veer.emplace(hits.begin(), hits.begin() + wanted);
    }
}

void Session::offer(std::optional<router::compare::Observation> observed, double milliseconds) {
    router::compare::Sink* const sink = router_.comparison();
    if (observed && sink != nullptr) {
        observed->served_ms = milliseconds;
        sink->offer(*std::move(observed));
    }
}

void Session::note_passed(router::Reason why, Attempt& attempt, Instant started) {
    const router::Route* const route = attempt.route;
    last_ = {
        .engine = "postgres",
        .reason = std::string(why),
        .route = route == nullptr ? "" : route->name,
        .percent = route == nullptr ? 0 : route->traffic->share(),
        .milliseconds = 0};
    write_receipt(attempt, started.nanoseconds);
    tell_of_passed(attempt, why);
    passed_at_ = started;
    router_.reasons().count(last_.route, last_.engine, why);
    // Of pgvector's partial indexes only the facts tell, which a search that is passed on for its
    // share has not asked for.
    const bool of_some = route != nullptr && route->column.ann.partial;
    passed_observed_ =
        router::comparable(why) && !of_some ? std::move(attempt.observed) : std::nullopt;
    fell_back_.reset();
    const bool fell_back = router::reason::gave_up(why);
    if (attempt.statement != nullptr && attempt.statement->statement.plan != nullptr) {
        attempt.statement->statement.plan->tally->count_postgres(why, fell_back);
    }
    if (route != nullptr) {
        route->traffic->postgres.fetch_add(1, std::memory_order_relaxed);
        if (fell_back) {
            fell_back_ = route->traffic;
        }
    }
}

}  // namespace veer::proxy::session
