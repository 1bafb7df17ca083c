#include "proxy/operations.hpp"

#include "config/quantity.hpp"
#include "proxy/doctor.hpp"
#include "proxy/statement_look.hpp"
#include "router/rewrite.hpp"
#include "storage/partitions.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace veer::proxy {

namespace {

using admin::Command;
using Verb = admin::Command::Verb;

/// Nothing for what is no matter of the cutover.
std::optional<router::cutover::Verb> cutover_verb(Verb verb) {
    using To = router::cutover::Verb;
    switch (verb) {
        case Verb::panic:
            return To::panic;
        case Verb::unpanic:
            return To::unpanic;
        case Verb::set_traffic:
        case Verb::promote:
            return To::promote;
        case Verb::off:
            return To::off;
        case Verb::observe:
            return To::observe;
        case Verb::shadow:
            return To::shadow;
        case Verb::rollback:
            return To::rollback;
        case Verb::rollback_all:
            return To::rollback_all;
        case Verb::hold:
            return To::hold;
        case Verb::resume:
            return To::resume;
        case Verb::complete:
            return To::complete;
        case Verb::reopen:
            return To::reopen;
        case Verb::confirm:
            return To::confirm;
        case Verb::acknowledge:
            return To::acknowledge;
        case Verb::undo:
            return To::undo;
        case Verb::reshuffle:
            return To::reshuffle;
        case Verb::reload:
        case Verb::verify:
        case Verb::drill:
        case Verb::replay:
        case Verb::explain_route:
        case Verb::compare_search:
        case Verb::set_key:
        case Verb::reset_key:
        case Verb::ignore:
        case Verb::unignore:
        case Verb::tune:
        case Verb::mismatch:
        case Verb::rebuild:
        case Verb::calibrate:
        case Verb::doctor:
            break;
    }
    return std::nullopt;
}

/// A line for each table, and one for each of its rows that differ.
std::vector<admin::Row> to_rows(const std::vector<storage::sync::TableVerdict>& verdicts) {
    std::vector<admin::Row> rows;
    const auto number = [](std::uint64_t value) {
        return admin::Value(static_cast<std::int64_t>(value));
    };
    for (const storage::sync::TableVerdict& verdict : verdicts) {
        const char* const whole = verdict.trouble.empty() ? "equal" : "not compared";
        rows.push_back(
            {verdict.name,
             std::string(verdict.differences > 0 ? "different" : whole),
             verdict.trouble,
             number(verdict.rows),
             number(verdict.differences),
             number(verdict.repaired)}
        );
        for (const std::string& row : verdict.named) {
            rows.push_back({verdict.name, std::string("row"), row, {}, {}, {}});
        }
    }
    return rows;
}

admin::Row to_row(const char* look, std::uint64_t id, const router::compare::Mismatch& one) {
    const router::compare::Judgement& judgement = one.judgement;
    return {
        static_cast<std::int64_t>(id),
        one.route,
        std::string(look),
        std::int64_t{one.ef_search},
        std::string(to_string(judgement.verdict)),
        std::string(to_string(severity_of(judgement.verdict))),
        judgement.recall,
        judgement.judged ? admin::Value(judgement.pg_recall) : admin::Value{},
        one.durations.veer,
        one.durations.postgres};
}

admin::Failure none_kept(std::uint64_t mismatch) {
    return {
        .sqlstate = "42704",
        .message = "no mismatch " + std::to_string(mismatch) + " is kept",
        .hint = "SHOW MISMATCHES lists them; they are kept for a while, and not over a restart."};
}

admin::Failure not_live(const std::string& route) {
    return {
        .sqlstate = "55000",
        .message = "the route \"" + route + "\" is not live",
        .hint = "SHOW ROUTES says why."};
}

/// Null where it is not, or its copy is not served.
const router::Route* live_route(const router::RouteTable& table, const std::string& name) {
    const auto found =
        std::find_if(table.routes.begin(), table.routes.end(), [&name](const router::Route& each) {
            return each.name == name && each.live();
        });
    return found == table.routes.end() ? nullptr : &*found;
}

/// Whether it is there without an index of pgvector's, by the word of a [[route]] that veer has
/// started with, or of a statement.
bool outlives_index(
    const config::Config& started, const router::RouteTable& table, const router::Route& route
) {
    const auto about = [&route](const auto& declared) {
        return router::is_about(declared, route.table(), route.column.ann);
    };
    return std::any_of(table.declared.begin(), table.declared.end(), about) ||
           std::any_of(
               started.routes.begin(),
               started.routes.end(),
               [&about](const config::Route& each) { return each.engine.empty() && about(each); }
           );
}

admin::Failure not_compared() {
    return {
        .sqlstate = "F0000",
        .message = "the search could not be compared",
        .hint = "Postgres did not answer veer's own role, or the copy was replaced."};
}

admin::Failure nobody_free() {
    return {
        .sqlstate = "55000",
        .message = "another search is waited for, or comparing is switched off",
        .hint = "Try again in a moment; [compare] rate and budget_per_second must be above 0."};
}

admin::Outcome to_outcome(const router::cutover::Reply& reply) {
    if (!reply.done && reply.code != "no_change") {
        return admin::Failure{
            .sqlstate = "F0000",
            .message = reply.message + " (" + reply.code + ")",
            .hint = reply.next_step};
    }
    const auto next = reply.next_step.empty() ? admin::Value{} : admin::Value(reply.next_step);
    return std::vector<admin::Row>{
        {reply.message, static_cast<std::int64_t>(reply.revision), next}};
}

admin::Outcome to_outcome(const Drills::Wanted& wanted, const Drills::Drilled& drilled) {
    if (!drilled.reply.done) {
        return to_outcome(drilled.reply);
    }
    const router::cutover::DrillFindings& found = drilled.findings;
    const auto milliseconds = [](const auto& duration) {
        return duration ? admin::Value(static_cast<double>(duration->count()) / 1000)
                        : admin::Value{};
    };
    const auto count = [](std::uint64_t value) {
        return admin::Value(static_cast<std::int64_t>(value));
    };
    const auto& take = drilled.look.would_take;
    return std::vector<admin::Row>{
        {wanted.route,
         std::string(to_string(wanted.fault)),
         std::string(to_string(found.outcome)),
         drilled.look.guard.empty() ? admin::Value{} : admin::Value(drilled.look.guard),
         count(drilled.look.answers),
         milliseconds(found.share_zero),
         milliseconds(found.confirmed),
         take ? admin::Value(std::int64_t{take->count()}) : admin::Value{},
         count(found.diverted),
         count(found.late),
         count(found.fallbacks),
         count(found.client_errors)}};
}

admin::Outcome examined(const storage::Result<DoctorFacts>& facts) {
    if (!facts.has_value()) {
        const bool connection = facts.error().code == storage::Errc::connection;
        return admin::Failure{
            .sqlstate = connection ? "08006" : "F0000",
            .message = facts.error().message,
            .hint = connection ? "SHOW HOSTS, SHOW REPLICATION"
                               : "It waits for no lock longer than two seconds: try again later."};
    }
    std::vector<admin::Row> rows;
    const auto known = [](std::string text) {
        return text.empty() ? admin::Value{} : admin::Value(std::move(text));
    };
    for (Finding& finding : examine(*facts)) {
        rows.push_back(
            {known(std::move(finding.code)),
             std::move(finding.section),
             std::move(finding.text),
             std::string(word_of(finding.mark)),
             known(std::move(finding.fix))}
        );
    }
    return rows;
}

}  // namespace

/// Routes are named in full, or by their relation or its name where that is one route's only.
std::string ProcessOperations::route_named(const std::string& name) const {
    std::string found = name;
    std::size_t fitting = 0;
    for (const router::Route& route : parts_.router.routes()->routes) {
        const std::string relation = route.table().schema + '.' + route.table().name;
        if (route.name == name) {
            return name;
        }
        if (relation == name || route.table().name == name ||
            relation + '.' + route.source() == name) {
            found = route.name;
            ++fitting;
        }
    }
    return fitting == 1 ? found : name;
}

/// What nobody needs any more once a route is complete. veer runs no DDL on tables of others.
std::string ProcessOperations::drop_advice(const std::string& name) const {
    const auto table = parts_.router.routes();
    const router::Route* const route = live_route(*table, name);
    const bool of_pgvector = route != nullptr && (route->column.ann.method == "hnsw" ||
                                                  route->column.ann.method == "ivfflat");
    if (!of_pgvector) {
        return {};
    }
    if (!outlives_index(parts_.config.state().started, *table, *route)) {
        return "keep pgvector's index, or first add a [[route]] with column = \"" +
               route->table().schema + '.' + route->table().name + '.' +
               route->vector_column().name + "\" and operator = \"" +
               route->column.ann.operator_name +
               "\" to veer.toml and restart veer: a route that is not declared goes with the index";
    }
    // Which Postgres does not do concurrently where the index has partitions.
    return std::string(
               storage::is_partitioned(route->table()) ? "DROP INDEX " : "DROP INDEX CONCURRENTLY "
           ) +
           router::quote_identifier(route->table().schema) + '.' +
           router::quote_identifier(route->column.ann.name) +
           "; or keep it, for the day that it is needed";
}

void ProcessOperations::move(
    const Command& command, const admin::Actor& actor, std::function<void(admin::Outcome)> done
) {
    const auto verb = cutover_verb(command.verb);
    const std::optional<std::chrono::milliseconds> duration =
        config::parse_duration(command.duration);
    if (!verb || (!command.duration.empty() && !duration)) {
        done(admin::Failure{
            .sqlstate = "22023",
            .message = "\"" + command.duration + "\" is no duration",
            .hint = "FOR takes a whole number and a unit, such as 10m."});
        return;
    }
    const router::cutover::Command asked{
        .verb = *verb,
        .route = command.route.empty() ? std::string() : route_named(command.route),
        .percent = command.percent,
        .lasting = duration,
        .reason = command.reason,
        .typed = command.route,
        .dry_run = command.dry_run};
    const auto expected = command.version
                              ? std::optional(static_cast<std::uint64_t>(*command.version))
                              : std::nullopt;
    const std::string drop = asked.verb == router::cutover::Verb::complete && !asked.dry_run
                                 ? drop_advice(asked.route)
                                 : std::string();
    parts_.router.control().apply(
        asked,
        expected,
        {.name = actor.name, .via = actor.via},
        parts_.now(),
        [asked, actor, drop, done = std::move(done)](router::cutover::Reply reply) {
            spdlog::warn(
                "{} by {} ({}, {}){}{}: {}",
                to_string(asked.verb),
                actor.name,
                actor.via,
                actor.peer,
                asked.reason.empty() ? "" : ", because ",
                asked.reason,
                reply.message
            );
            if (reply.done && reply.next_step.empty()) {
                reply.next_step = drop;
            }
            done(to_outcome(reply));
        }
    );
}

admin::Outcome ProcessOperations::reload(bool dry_run) {
    const LiveConfig::Changes changes = dry_run ? parts_.config.preview() : parts_.config.reload();
    if (changes.has_error()) {
        return admin::Failure{
            .sqlstate = "F0000",
            .message = "nothing changed: " + changes.error(),
            .hint = "veer check-config reads the file without using it."};
    }
    return rows_of(*changes);
}

/// By a route, or by its own name.
std::optional<storage::TableOid> ProcessOperations::table_named(const std::string& name) const {
    const std::string full = route_named(name);
    for (const router::Route& route : parts_.router.routes()->routes) {
        if (route.name == full || route.table().schema + '.' + route.table().name == name) {
            return route.table().oid;
        }
    }
    for (const storage::sync::TableStatus& table : parts_.replica.status().tables) {
        if (table.name == name) {
            return table.oid;
        }
    }
    return std::nullopt;
}

void ProcessOperations::verify(const Command& command, std::function<void(admin::Outcome)> done) {
    storage::sync::VerifyRequest request{.table = {}, .rows_per_second = command.rate};
    if (!command.route.empty()) {
        request.table = table_named(command.route);
        if (!request.table) {
            done(admin::Failure{
                .sqlstate = "42704",
                .message = "there is no route \"" + command.route + "\"",
                .hint = "SHOW ROUTES lists them."});
            return;
        }
    }
    parts_.syncer.verify(
        request,
        [done = std::move(done)](const std::vector<storage::sync::TableVerdict>& verdicts) {
            done(to_rows(verdicts));
        }
    );
}

void ProcessOperations::drill(
    const Command& command, const admin::Actor& actor, std::function<void(admin::Outcome)> done
) {
    const auto table = parts_.router.routes();
    const auto fault =
        router::cutover::fault_from_text(command.fault.empty() ? "neighbours" : command.fault);
    if (!fault || (command.route.empty() && table->routes.size() != 1)) {
        done(admin::Failure{
            .sqlstate = fault ? "42704" : "22023",
            .message = fault ? "which route is meant?"
                             : "there is no made-up fault \"" + command.fault + "\"",
            .hint =
                fault ? "SHOW ROUTES lists them." : "There are neighbours, wrong, slow and lag."});
        return;
    }
    constexpr std::chrono::seconds grace{5};  // above what the guard on lag waits by its settings
    const Drills::Wanted wanted{
        .route = command.route.empty() ? table->routes.front().name : route_named(command.route),
        .fault = *fault,
        .who = {.name = actor.name, .via = actor.via},
        .reason = command.reason,
        .notice_max = parts_.config.state().current.guards.lag_for + grace};
    parts_.drills.begin(wanted, [wanted, done = std::move(done)](const Drills::Drilled& drilled) {
        done(to_outcome(wanted, drilled));
    });
}

void ProcessOperations::replay(const Command& command, std::function<void(admin::Outcome)> done) {
    const auto kept = parts_.router.ledger().mismatch(command.mismatch);
    if (!kept) {
        done(none_kept(command.mismatch));
        return;
    }
    const auto table = parts_.router.routes();
    const router::Route* const route = live_route(*table, kept->route);
    if (route == nullptr) {
        done(not_live(kept->route));
        return;
    }
    const auto told = std::make_shared<std::function<void(admin::Outcome)>>(std::move(done));
    const compare::Comparer::Replay again{
        .kept = kept,
        .column = {table, &route->column},
        .candidate = route->candidate,
        .ef_search = command.ef_search};
    const bool taken = parts_.comparer.once_aside(
        again.observation(),
        [kept, told](const std::optional<router::compare::Mismatch>& now) {
            if (now) {
                (*told)(std::vector<admin::Row>{
                    to_row("then", kept->id, *kept), to_row("now", kept->id, *now)});
            } else {
                (*told)(not_compared());
            }
        }
    );
    if (!taken) {
        (*told)(nobody_free());
    }
}

/// Of the server as veer's own role sees it.
void ProcessOperations::doctor(const std::function<void(admin::Outcome)>& done) {
    const bool begun = parts_.server_look.begin([done](const storage::Result<DoctorFacts>& facts) {
        done(examined(facts));
    });
    if (!begun) {
        done(admin::Failure{
            .sqlstate = "55000",
            .message = "the server is being asked already",
            .hint = "Try again in a moment."});
    }
}

/// As it was then; keys are written by the table as it is now.
admin::Outcome ProcessOperations::mismatch(const Command& command) const {
    const auto kept = parts_.router.ledger().mismatch(command.mismatch);
    if (!kept) {
        return none_kept(command.mismatch);
    }
    const auto table = parts_.router.routes();
    const router::Route* const route = live_route(*table, kept->route);
    return route == nullptr ? admin::Outcome(not_live(kept->route))
                            : side_by_side(*kept, route->table());
}

admin::Outcome ProcessOperations::rebuild(const Command& command, const admin::Actor& actor) {
    const auto table = parts_.router.routes();
    const router::Route* const route = live_route(*table, route_named(command.route));
    if (route == nullptr) {
        return not_live(command.route);
    }
    route->column.index->request_rebuild();
    spdlog::warn("REBUILD INDEX {} by {} ({}, {})", route->name, actor.name, actor.via, actor.peer);
    return std::vector<admin::Row>{
        {"it is being built anew, beside the one that is searched; what was compared until now "
         "counts no more when it is done",
         admin::Value{},
         std::string("SHOW INDEXES")}};
}

void ProcessOperations::compare_search(
    const Command& command, std::function<void(admin::Outcome)> done
) {
    auto asked =
        search_in(parts_.router, command.search, parts_.config.state().started.limits.k_max);
    if (asked.has_error()) {
        done(asked.error());
        return;
    }
    const auto column = asked->column;
    const auto told = std::make_shared<std::function<void(admin::Outcome)>>(std::move(done));
    const bool taken = parts_.comparer.once_aside(
        *std::move(asked),
        [column, told](const std::optional<router::compare::Mismatch>& compared) {
            (*told
            )(compared ? side_by_side(*compared, column->table) : admin::Outcome(not_compared()));
        }
    );
    if (!taken) {
        (*told)(nobody_free());
    }
}

void ProcessOperations::carry_out(
    const Command& command, const admin::Actor& actor, std::function<void(admin::Outcome)> done
) {
    if (command.verb == Verb::verify) {
        verify(command, std::move(done));
        return;
    }
    if (command.verb == Verb::drill) {
        drill(command, actor, std::move(done));
        return;
    }
    if (command.verb == Verb::replay) {
        replay(command, std::move(done));
        return;
    }
    if (command.verb == Verb::compare_search) {
        compare_search(command, std::move(done));
        return;
    }
    if (command.verb == Verb::explain_route) {
        done(explain_search(
            parts_.router,
            {.text = command.search,
             .role = command.role,
             .application = command.application,
             .client = command.client},
            parts_.config.state().started.limits.k_max
        ));
        return;
    }
    if (command.verb == Verb::tune) {
        tune(command, std::move(done));
        return;
    }
    if (command.verb == Verb::doctor) {
        doctor(done);
        return;
    }
    if (command.verb == Verb::mismatch) {
        done(mismatch(command));
        return;
    }
    if (command.verb == Verb::rebuild) {
        done(rebuild(command, actor));
        return;
    }
    if (command.verb == Verb::calibrate) {
        calibrate(command, std::move(done));
        return;
    }
    if (command.verb == Verb::ignore || command.verb == Verb::unignore) {
        done(ignore(command, actor));
        return;
    }
    if (command.verb == Verb::set_key || command.verb == Verb::reset_key) {
        parts_.aside([this, command, actor, done = std::move(done)] {
            done(set_key(command, actor));
        });
        return;
    }
    if (command.verb != Verb::reload) {
        move(command, actor, std::move(done));  // waits for nothing: a panic least of all
        return;
    }
    // A reload reads files, which no client's thread may wait for.
    parts_.aside([this, dry_run = command.dry_run, done = std::move(done)] {
        done(reload(dry_run));
    });
}

}  // namespace veer::proxy
