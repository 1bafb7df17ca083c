#include "proxy/session/session.hpp"
#include "proxy/wire/backend.hpp"

// Statements and portals that exist only in veer: SHOW veer.x in the extended protocol, and what
// remains of a portal whose rows veer has sent.

namespace veer::proxy::session {

bool Session::on_local_bind(const wire::Bind& bind, Output& out) {
    const auto statement = statement_named(bind.statement);
    if (statement == nullptr || statement->relation.empty()) {
        return false;
    }
    LocalAnswer answer = answer_relation_named(statement->relation);
    portals_.insert_or_assign(
        std::string(bind.portal),
        LocalPortal{
            .row_description = std::move(answer.row_description), .rows = std::move(answer.rows)}
    );
    batch_local_ = true;
    std::string complete;
    wire::write_bind_complete(complete);
    emit_local(std::move(complete), out);
    return true;
}

bool Session::on_local_frame(const wire::Frame& frame, Output& out) {
    if (portals_.empty() && statements_.empty()) {
        return false;
    }
    std::string answer;
    if (frame.type == 'E') {
        const auto execute = wire::decode_execute(frame.payload);
        const auto portal =
            execute ? portals_.find(std::string_view(execute->portal)) : portals_.end();
        if (portal == portals_.end()) {
            return false;
        }
        answer = std::move(portal->second.rows);
        portal->second.rows.clear();
        if (answer.empty()) {
            wire::write_command_complete(answer, "SELECT 0");
        }
    } else {
        const auto target = wire::decode_target(frame.payload);
        if (!target || !describe_or_close_local(frame.type, *target, answer)) {
            return false;
        }
    }
    batch_local_ = true;
    emit_local(std::move(answer), out);
    return true;
}

bool Session::describe_or_close_local(char type, const wire::Target& target, std::string& answer) {
    if (target.kind == 'P') {
        const auto portal = portals_.find(target.name);
        if (portal == portals_.end()) {
            return false;
        }
        if (type == 'D') {
            answer = portal->second.row_description;
            return true;
        }
        portals_.erase(portal);
    } else {
        const auto statement = statement_named(target.name);
        if (statement == nullptr || statement->relation.empty()) {
            return false;
        }
        if (type == 'D') {
            wire::write_parameter_description(answer, {});
            answer += answer_relation_named(statement->relation).row_description;
            return true;
        }
        statements_.erase(std::string(target.name));
    }
    wire::write_close_complete(answer);
    return true;
}

LocalAnswer Session::answer_relation_named(const std::string& relation) const {
    if (relation == "routes") {
        return to_messages(router::Router::route_columns(), router_.describe_routes());
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
