#include "proxy/session/session.hpp"
#include "router/function.hpp"

#include <utility>

// A call of a function whose body is a search: SELECT * FROM match($1, 5). The client's own backend
// is asked what the function is, once; from there on the statement with the body in the call's
// place goes the way of every other, and the facts say that the function is still the same.

namespace veer::proxy::session {

namespace {

/// At most twice as many as the configuration names: others have no route.
std::pair<std::string, std::string> name_of(const parser::FunctionCall& call) {
    return {call.schema.value_or(""), call.name};
}

}  // namespace

/// Of a statement that is a call. A Reason: Postgres answers. Else the attempt is about the body,
/// or `asks_function`.
std::optional<router::Reason> Session::put_body(Attempt& attempt, parser::Refusal refusal) {
    const std::shared_ptr<const PreparedStatement> called = attempt.statement;
    const parser::FunctionCall* const call = called->statement.call();
    attempt.route = attempt.routes->find(*call);
    if (attempt.route == nullptr) {
        return to_string(refusal);
    }
    if (const auto why = settled_without_facts(attempt)) {
        return why;
    }
    attempt.function = router_.functions().find(database_, *call, attempt.started.nanoseconds);
    if (attempt.function == nullptr) {
        attempt.asks_function = true;
        return std::nullopt;
    }
    const auto doubted = doubt(attempt, *call);
    if (doubted || attempt.asks_function) {
        return doubted;
    }
    if (attempt.function->refused) {
        return attempt.function->refused;
    }
    auto text =
        router::inlined(called->statement, *call, *attempt.function, called->parameter_types);
    if (const auto* const why = std::get_if<router::Reason>(&text)) {
        return *why;
    }
    auto statement = std::make_shared<PreparedStatement>();
    statement->name = called->name;
    statement->parameter_types = called->parameter_types;
    statement->statement = router_.read(std::get<std::string>(text));
    statement->routes = called->routes;
    attempt.called = called;
    attempt.statement = std::move(statement);
    const auto* const inner =
        std::get_if<parser::Refusal>(&attempt.statement->statement.plan->recognition);
    return inner == nullptr ? std::nullopt : std::optional(to_string(*inner));
}

/// What its route's facts have to say beside. A Reason: nothing they could say would do.
std::optional<router::Reason> Session::prepare_function(Attempt& attempt) {
    if (attempt.called == nullptr) {
        return std::nullopt;
    }
    const parser::FunctionCall& call = *attempt.called->statement.call();
    if (!attempt.route->names(call)) {
        return router::reason::no_route;
    }
    auto condition = router::function_condition(call, *attempt.function, attempt.query());
    if (!condition) {
        return router::reason::function_outputs;
    }
    attempt.function_condition = *std::move(condition);
    return std::nullopt;
}

void Session::ask_function(Instant now, Output& out) {
    if (facts_broken_ && (transaction_ != 'I' || !attempt_->alone)) {
        pass(router::reason::facts, now, out);
        return;
    }
    ask(router::function_query(*attempt_->statement->statement.call()), out);
}

/// True where what was asked for was not the facts.
bool Session::on_other_answer(bool failed, Instant now, Output& out) {
    const Attempt& attempt = *attempt_;
    if (attempt.asks_management) {
        on_management_ready(failed, now, out);
    } else if (attempt.asks_names) {
        on_names_ready(failed, now, out);
    } else if (attempt.asks_notices) {
        on_notices_ready(failed, now, out);
    } else if (attempt.asks_function) {
        on_function_ready(failed, now, out);
    } else if (attempt.asks_vector) {
        on_vector_ready(failed, now, out);
    } else {
        return false;
    }
    return true;
}

void Session::on_function_ready(bool failed, Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    attempt.asks_function = false;
    const parser::FunctionCall& call = *attempt.statement->statement.call();
    const auto row = failed ? std::nullopt : wire::decode_data_row(facts_row_);
    auto function = row ? router::decode_function(call, *row) : std::nullopt;
    if (!function) {  // for this session; what it has written, say, is nothing to others
        pass(failed ? router::reason::facts : router::reason::function_unknown, now, out);
        drain_inbox(now, out);
        return;
    }
    const auto doubted = doubts_.extract(name_of(call));
    attempt.function_looked_again =
        !doubted.empty() && doubted.mapped().function->same_state(*function);
    if (!attempt.function_looked_again) {
        router_.functions().put(
            database_,
            call,
            std::make_shared<const router::Function>(*std::move(function)),
            now.nanoseconds
        );
    }
    const auto bind =
        attempt.simple ? std::nullopt : wire::decode_bind(attempt.bind_frame().payload);
    const auto why = prepare(attempt, bind ? &*bind : nullptr);
    if (why || attempt.asks_function) {
        pass(why.value_or(router::reason::function_unknown), now, out);
    } else {
        consider(now, out);
    }
    drain_inbox(now, out);
}

/// The facts have no row: the table, the function or a right is not what it was.
router::Reason Session::note_gone() {
    const Attempt& attempt = *attempt_;
    if (attempt.called == nullptr) {
        return attempt.query().reranked       ? router::reason::no_bit_index
               : attempt.query().cast.to_half ? router::reason::no_half_index
                                              : router::reason::changed;
    }
    Doubt doubted{attempt.function, std::nullopt};
    if (attempt.function_looked_again) {
        doubted.until = Instant{attempt.started.nanoseconds + router::KnownFunctions::refused_ns};
    }
    doubts_.insert_or_assign(name_of(*attempt.called->statement.call()), std::move(doubted));
    return router::reason::function_changed;
}

/// Of a call whose function is known. A Reason: it did not hold here a moment ago, and it is still
/// the same; only a right, say, may be another by now. `asks_function`: whether it is still the
/// same has to be found out.
std::optional<router::Reason> Session::doubt(Attempt& attempt, const parser::FunctionCall& call) {
    const auto found = doubts_.find(name_of(call));
    if (found == doubts_.end()) {
        return std::nullopt;
    }
    const Doubt& doubted = found->second;
    const bool about_it = doubted.function->same_state(*attempt.function);
    if (about_it && !doubted.until) {
        attempt.asks_function = true;
        return std::nullopt;
    }
    if (about_it && attempt.started.nanoseconds < doubted.until->nanoseconds) {
        return router::reason::function_changed;
    }
    doubts_.erase(found);
    return std::nullopt;
}

}  // namespace veer::proxy::session
