#include "proxy/session/session.hpp"
#include "proxy/wire/backend.hpp"
#include "router/compare/relations.hpp"

// Statements and portals that exist only in veer: portals whose rows veer has, SHOW veer.x in the
// extended protocol, and a Parse that veer has answered in Postgres' place.

namespace veer::proxy::session {

bool Session::on_local_bind(const wire::Bind& bind, Output& out) {
    const auto statement = statement_named(bind.statement);
    if (statement == nullptr || !statement->is_local()) {
        return false;
    }
    if (bind.portal.empty()) {
        remember_unnamed();
        unnamed_.lose_portal();
    }
    const bool shows = statement->management == nullptr;
    portals_.put(
        bind.portal,
        LocalPortal(
            shows ? answer_relation_named(statement->relation)
                  : management_answer(*statement->management),
            shows ? nullptr : statement
        )
    );
    batch_local_ = true;
    std::string complete;
    wire::write_bind_complete(complete);
    emit_local(std::move(complete), out);
    return true;
}

std::optional<Session::Taken> Session::on_local_frame(
    const wire::Frame& frame, Instant now, Output& out
) {
    if ((portals_.empty() && statements_.empty()) || replies_.skipping()) {
        return std::nullopt;
    }
    const auto execute = frame.type == 'E' ? wire::decode_execute(frame.payload) : std::nullopt;
    const auto target = frame.type == 'E' ? std::nullopt : wire::decode_target(frame.payload);
    if (!concerns_local(execute, target)) {
        return std::nullopt;
    }
    if (replies_.has_barrier()) {
        return Taken::stall;  // which may end the transaction, and the portal
    }
    const bool of_portal = execute || target->kind == 'P';
    const LocalPortal* const portal =
        of_portal ? portals_.find(execute ? execute->portal : target->name) : nullptr;
    if (portal != nullptr && portal->of_search() && !replies_.empty()) {
        return await_replies(out);  // as may a COMMIT of its own batch; or an error skips this
    }
    if (execute) {
        if (const auto taken = execute_management(frame, now, out)) {
            return taken;
        }
    }
    std::string answer;
    bool local = false;
    if (execute) {
        local = execute_local(*execute, answer, out);
    } else {
        local = target->kind == 'P'
                    ? describe_or_close_portal(frame.type, target->name, answer, out)
                    : describe_or_close_statement(frame.type, target->name, now, answer);
    }
    if (!local) {
        return std::nullopt;
    }
    batch_local_ = true;
    emit_local(std::move(answer), out);
    return Taken::yes;
}

bool Session::concerns_local(
    const std::optional<wire::Execute>& execute, const std::optional<wire::Target>& target
) {
    if (execute) {
        return portals_.find(execute->portal) != nullptr;
    }
    if (!target || target->kind == 'P') {
        return target && portals_.find(target->name) != nullptr;
    }
    const auto statement = statement_named(target->name);
    const bool unseen = target->name.empty() && unnamed_.statement == Unnamed::Statement::unseen;
    return statement != nullptr && (unseen || statement->is_local());
}

bool Session::execute_local(const wire::Execute& execute, std::string& answer, Output& out) {
    LocalPortal& portal = *portals_.find(execute.portal);
    if (transaction_ != 'E') {
        answer = portal.execute(execute.rows_max);
        return true;
    }
    take_name_upstream(execute.portal, out);  // so that Postgres can say that it is too late
    return false;
}

/// A Flush makes Postgres say what it has done of the batch; until then the client's frame waits.
Session::Taken Session::await_replies(Output& out) {
    wire::write_flush(out.to_server);
    flushed_ = true;
    return Taken::stall;
}

bool Session::describe_or_close_portal(
    char type, wire::Bytes name, std::string& answer, Output& out
) {
    const LocalPortal* const portal = portals_.find(name);
    if (portal == nullptr) {
        return false;
    }
    if (type == 'D' && transaction_ == 'E') {
        take_name_upstream(name, out);
        return false;
    }
    if (type == 'D') {
        answer = portal->answer().row_description;
        return true;
    }
    portals_.erase(name);
    wire::write_close_complete(answer);
    return true;
}

bool Session::describe_or_close_statement(
    char type, wire::Bytes name, Instant now, std::string& answer
) {
    const auto statement = statement_named(name);
    if (statement->is_local()) {
        if (type == 'D') {
            wire::write_parameter_description(answer, {});
            answer += statement->management == nullptr
                          ? answer_relation_named(statement->relation).row_description
                          : management_answer(*statement->management).row_description;
            return true;
        }
        statements_.erase(std::string(name));
        wire::write_close_complete(answer);
        return true;
    }
    if (type != 'D' || transaction_ == 'E') {
        return false;
    }
    const auto routes = router_.routes();
    const parser::NearestNeighbourQuery* const query = statement->statement.search();
    const router::Route* const route = query == nullptr ? nullptr : routes->find(*query);
    // Nobody tells veer of the columns that a query vector's row is found by.
    if (route == nullptr || query->vector.stored || !facts_allow(routes, *route, *query, now)) {
        return false;
    }
    const auto known =
        routes->accepted->described(statement->statement.text, statement->parameter_types);
    answer = known.value_or("");
    return known.has_value();
}

bool Session::parse_locally(
    const wire::Frame& frame,
    const std::shared_ptr<const PreparedStatement>& statement,
    Instant now,
    Output& out
) {
    // With nothing unanswered no error can come that would make Postgres skip the Parse.
    if (!statement->name.empty() || !replies_.empty() || copy_in_) {
        return false;
    }
    const auto routes = router_.routes();
    const parser::NearestNeighbourQuery& query = *statement->statement.search();
    const router::Route* const route = routes->find(query);
    if (route == nullptr || query.vector.stored || !route->live() || transaction_ == 'E' ||
        router_.panic() || !router::answerable_locally(*route, query) ||
        !facts_allow(routes, *route, query, now) ||
        !routes->accepted->parsed(statement->statement.text, statement->parameter_types)) {
        return false;
    }
    statements_.insert_or_assign("", statement);
    unnamed_.statement = Unnamed::Statement::unseen;
    unnamed_.parse = frame.whole;
    batch_local_ = true;
    std::string complete;
    wire::write_parse_complete(complete);
    emit_local(std::move(complete), out);
    return true;
}

bool Session::facts_allow(
    const std::shared_ptr<const router::RouteTable>& routes,
    const router::Route& route,
    const parser::NearestNeighbourQuery& query,
    Instant now
) const {
    const router::Hint silent;
    const router::Asked in_any_share{.hint = &silent, .counted = false};
    constexpr bool complete = true;
    const KnownFacts* const known =
        facts_.find(routes, route, router::joined_condition(query), router_.write_epoch(), now);
    if (known == nullptr) {
        return false;
    }
    // Where it is not local, a copied column may not be what it was described as.
    const auto decided =
        router::decide(*routes, route, query, known->facts, in_any_share, complete);
    const auto* const service = std::get_if<router::Service>(&decided);
    return service != nullptr && *service == router::Service::local;
}

LocalAnswer Session::answer_relation_named(const std::string& relation) const {
    if (relation == "routes") {
        return to_messages(router::Router::route_columns(), router_.describe_routes());
    }
    if (relation == "reasons") {
        return to_messages(router::ReasonCounts::columns(), router_.reasons().rows());
    }
    if (const auto shown = router::compare::relation(router_.ledger(), relation)) {
        return to_messages(shown->columns, shown->rows);
    }
    return to_messages({"engine", "reason", "route", "percent", "ms"}, last_row());
}

std::vector<std::vector<std::string>> Session::last_row() const {
    char percent[32];
    char milliseconds[32];
    std::snprintf(percent, sizeof percent, "%.6g", last_.percent);
    std::snprintf(milliseconds, sizeof milliseconds, "%.3f", last_.milliseconds);
    return {{std::string(last_.engine), last_.reason, last_.route, percent, milliseconds}};
}

}  // namespace veer::proxy::session
