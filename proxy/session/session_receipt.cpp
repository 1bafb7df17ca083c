#include "proxy/session/session.hpp"
#include "router/observe.hpp"

namespace veer::proxy::session {

/// Rules are asked by what the server reports of the session: whether a search is compared is
/// decided where no facts are asked for.
void Session::observe(Attempt& attempt) const {
    const router::Asked what = asked(attempt);
    attempt.observed = router::observe(
        attempt.routes,
        *attempt.route,
        attempt.query(),
        attempt.statement->statement.plan->shape,
        attempt.search,
        attempt.routes->rules->sample(
            {.route = attempt.route->name,
             .role = authorization_,
             .application = application_,
             .database = attempt.routes->database,
             .client = what.client,
             .shape = what.shape,
             .k = what.k,
             .filtered = what.filtered,
             .tags = what.hint->tags}
        )
    );
}

/// Of the search that last_ is about.
void Session::write_receipt(const Attempt& attempt, std::int64_t at_ns) {
    if (attempt.route == nullptr || attempt.statement == nullptr || attempt.explains) {
        return;
    }
    const router::Statement& statement = attempt.statement->statement;
    const bool by_veer = last_.engine == "veer";
    last_.wish = attempt.facts.route;
    last_.key = statement.hint.key.empty() ? attempt.facts.key : statement.hint.key;
    router_.receipts().add(
        {.at_ns = at_ns,
         .route = last_.route,
         .engine = std::string(last_.engine),
         .reason = last_.reason,
         .key = last_.key,
         .role = attempt.facts.role,
         .application = attempt.facts.application,
         .shape = statement.plan == nullptr ? 0 : statement.plan->shape_id,
         .percent = last_.percent,
         .bucket = attempt.bucket,
         .milliseconds = by_veer ? std::optional(last_.milliseconds) : std::nullopt,
         .sampled = attempt.observed.has_value()}
    );
}

}  // namespace veer::proxy::session
