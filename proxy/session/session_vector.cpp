#include "proxy/session/session.hpp"
#include "router/bucket.hpp"
#include "router/session_facts.hpp"
#include "router/stored_vector.hpp"

// A query vector that stands in a row: ORDER BY e <=> (SELECT e FROM docs WHERE id = $1). The
// client's own backend is asked for it, after the facts and before the search.

namespace veer::proxy::session {

namespace {

constexpr std::int64_t vector_failed_ns = 60'000'000'000;
constexpr std::size_t vectors_failed_max = 1000;

}  // namespace

std::optional<router::Reason> Session::prepare_stored(
    Attempt& attempt, const std::vector<router::ParameterValue>& parameters
) const {
    const router::Statement& statement = attempt.statement->statement;
    const auto failed = vectors_failed_.find(statement.plan->shape_id);
    if (failed != vectors_failed_.end() &&
        attempt.started.nanoseconds - failed->second.nanoseconds < vector_failed_ns) {
        return to_string(parser::Refusal::query_vector);
    }
    if (router::may_be_inferred_otherwise(
            statement.text, statement.stored_vector(), *attempt.query().vector.stored, parameters
        )) {
        return router::reason::parameter_types;
    }
    // The vector is not known before it is asked for, and what is outside the share asks nothing:
    // the same search is the same text with the same values.
    std::string search = statement.text;
    for (const router::ParameterValue& parameter : parameters) {
        search += '\0';
        search += parameter.bytes.value_or("");
    }
    if (statement.hint.key.empty()) {
        attempt.bucket = router::bucket(attempt.route->salt, search);
    }
    return std::nullopt;
}

void Session::ask_vector(Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    const auto bind =
        attempt.simple ? std::nullopt : wire::decode_bind(attempt.bind_frame().payload);
    const std::vector<router::ParameterValue> parameters =
        bound_parameters(attempt, bind ? &*bind : nullptr);
    const router::Values values{
        .parameters = parameters, .literals = attempt.statement->statement.normalised.literals};
    const bool in_transaction = transaction_ != 'I';
    if (in_transaction && !router::surely_answered(attempt.query(), *attempt.route, values)) {
        pass(router::reason::may_raise, now, out);
        return;
    }
    // Which of several rows LIMIT takes may differ from one look to the next.
    if (attempt.query().vector.stored->limited && attempt.service == router::Service::rewrite &&
        !router::is_by_key(attempt.query(), *attempt.route)) {
        pass(to_string(parser::Refusal::query_vector), now, out);
        return;
    }
    if (!attempt.alone) {
        pass(router::reason::pipelined, now, out);
        return;
    }
    const std::string question =
        router::stored_vector_query(attempt.statement->statement.stored_vector(), parameters);
    attempt.asks_vector = true;
    ask(question, attempt.statement->parameter_types, bind.value_or(wire::Bind{}), out);
}

void Session::on_vector_ready(bool failed, Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    attempt.asks_vector = false;
    const auto row = failed ? std::nullopt : wire::decode_data_row(facts_row_);
    if (failed) {
        if (attempt.vector_senseless) {
            if (vectors_failed_.size() >= vectors_failed_max) {
                vectors_failed_.clear();
            }
            vectors_failed_.insert_or_assign(
                attempt.statement->statement.plan->shape_id, attempt.started
            );
        }
        pass(to_string(parser::Refusal::query_vector), now, out);
    } else if (!row) {
        pass(router::reason::vector_value, now, out);
    } else {
        auto vector = router::stored_vector(attempt.query(), *attempt.route, *row);
        if (const auto* why = std::get_if<router::Reason>(&vector)) {
            pass(*why, now, out);
        } else {
            attempt.search.vector = std::get<storage::Vector>(std::move(vector));
            attempt.facts.token = router::read_token(*row->at(2));
            attempt.token_is_newer = true;
            await_index(now, out);
        }
    }
    facts_row_ = {};  // a vector's text is long
    drain_inbox(now, out);
}

}  // namespace veer::proxy::session
