#include "proxy/statement_look.hpp"

#include "router/decide.hpp"
#include "router/notice.hpp"
#include "router/observe.hpp"
#include "router/rewrite.hpp"
#include "router/search_function.hpp"
#include "storage/key_text.hpp"
#include "storage/row.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace veer::proxy {

namespace {

using router::Reason;
using router::compare::Mismatch;
using router::compare::Rows;

/// What the text alone says.
struct Read {
    router::Statement statement;
    std::shared_ptr<const router::RouteTable> routes;
    const router::Route* route = nullptr;  ///< of `routes`; null: none
    std::optional<router::Search> search = std::nullopt;
    std::optional<double> bucket = std::nullopt;

    const parser::NearestNeighbourQuery& query() const { return *statement.search(); }
};

/// Fills `read` in as far as it goes; a Reason where it goes no further.
std::optional<Reason> fill(Read& read, std::uint64_t wanted_max) {
    if (read.statement.search() == nullptr) {
        const auto* const refusal =
            read.statement.plan == nullptr
                ? nullptr
                : std::get_if<parser::Refusal>(&read.statement.plan->recognition);
        return refusal == nullptr ? Reason("not_select") : to_string(*refusal);
    }
    read.route = read.routes->find(read.query());
    if (const auto why = router::refuse_order(read.route, read.query())) {
        return *why;
    }
    if (read.route == nullptr) {
        return router::reason::no_route;
    }
    auto filled = router::fill_in(
        read.query(),
        {.parameters = {}, .literals = read.statement.normalised.literals},
        *read.route,
        wanted_max
    );
    if (const auto* const why = std::get_if<Reason>(&filled)) {
        return *why;
    }
    read.search = std::get<router::Search>(std::move(filled));
    read.bucket = router::first_bucket(
        *read.route, read.statement.hint, read.statement.plan->shape, read.search->vector
    );
    if (!router::outputs_known(*read.route, read.query())) {
        return router::reason::unknown_column;
    }
    return std::nullopt;
}

/// The statement, or the SELECT that its call of a function of veer's own stands for.
std::variant<Read, router::Complaint> read_text(router::Router& router, const std::string& text) {
    Read read{.statement = router.read(text), .routes = router.routes()};
    const auto plan = read.statement.plan;
    if (plan == nullptr || !plan->table_function) {
        return read;
    }
    // Of a session with Postgres' own search_path.
    auto put = router::search_text(
        read.statement, *plan->table_function, *read.routes, true, {"pg_catalog", "public"}
    );
    if (auto* const why = std::get_if<router::Complaint>(&put)) {
        return std::move(*why);
    }
    read.statement = router.read(std::get<std::string>(put));
    return read;
}

admin::Failure failure_of(router::Complaint&& why) {
    return {
        .sqlstate = std::move(why.sqlstate),
        .message = std::move(why.message),
        .hint = std::move(why.hint)};
}

/// Whether it calls a function that a route names: only a session can ask what its body is.
bool is_served_call(const Read& read) {
    const parser::FunctionCall* const call = read.statement.call();
    return call != nullptr && read.routes->find(*call) != nullptr;
}

/// Of a session that nothing speaks against.
router::SessionFacts best_facts(const Read& read, const AskedStatement& asked) {
    router::SessionFacts facts;
    facts.utf8 = true;
    facts.table_unchanged = true;
    facts.permitted = true;
    facts.row_security = false;
    facts.table_visible = true;
    facts.operator_visible = true;
    facts.type_visible = true;
    facts.extension_schema =
        read.query().operator_schema.value_or(read.query().vector.type_schema.value_or("public"));
    facts.wrote = false;
    facts.read_committed = true;
    facts.index_scans = true;
    facts.shortest_floats = true;
    facts.copies_hold = true;
    facts.copies_readable = std::string(read.route->table().copied.size(), 't');
    // Which rows pgvector's partial indexes have, only a session asks: WHERE may be about these.
    facts.indexed_rows.all = !read.route->column.ann.partial || read.query().condition.has_value();
    facts.role = asked.role;
    facts.application = asked.application;
    return facts;
}

/// Who answers, and why: "local" and "rewrite" are the index'.
Reason decide(const Read& read, const AskedStatement& asked) {
    const router::Asked what{
        .bucket = *read.bucket,
        .hint = &read.statement.hint,
        .shape = read.statement.plan->shape_id,
        .k = read.search->limit,
        .filtered = read.query().clauses.condition.has_value(),
        .session = {},
        .client = asked.client,
        .counted = false};
    if (const auto why = router::settled_without_facts(*read.route, {}, what)) {
        return *why;
    }
    const auto decision = router::decide(
        *read.routes,
        *read.route,
        read.query(),
        best_facts(read, asked),
        what,
        read.search->complete()
    );
    if (const auto* const why = std::get_if<Reason>(&decision)) {
        return *why;
    }
    if (router::unplaced_rows_lead(*read.route, read.query())) {
        return router::reason::unplaced_rows;
    }
    return std::get<router::Service>(decision) == router::Service::local ? router::reason::local
                                                                         : router::reason::rewrite;
}

/// "10: role=billing, pin=postgres", of the rule that speaks; empty where none does.
std::string rule_that_speaks(const Read& read, const AskedStatement& asked) {
    const router::cutover::Subject subject{
        .route = read.route->name,
        .role = asked.role,
        .application = asked.application,
        .database = read.routes->database,
        .client = asked.client,
        .shape = read.statement.plan->shape_id,
        .k = read.search ? read.search->limit : 0,
        .filtered = read.query().clauses.condition.has_value(),
        .tags = read.statement.hint.tags};
    const auto views = read.routes->rules->views();
    const auto speaks = [&subject](const router::cutover::RuleView& view) {
        return matches(view.rule, subject);
    };
    auto found = std::find_if(views.begin(), views.end(), [&](const auto& view) {
        return view.rule.pin_postgres && speaks(view);
    });
    if (found == views.end()) {
        found = std::find_if(views.begin(), views.end(), speaks);
    }
    return found == views.end()
               ? std::string()
               : std::to_string(found->rule.id) + ": " + found->match + ", " + found->effect;
}

admin::Value text_or_null(const std::string& text) {
    return text.empty() ? admin::Value{} : admin::Value(text);
}

/// Keys as Postgres writes them.
admin::Value key_of(const Rows& rows, std::size_t at, const storage::Table& table) {
    if (at >= rows.size()) {
        return {};
    }
    const std::vector<std::string_view> columns = storage::key_columns(rows[at].key);
    std::string text;
    for (std::size_t i = 0; i < columns.size() && i < table.key.size(); ++i) {
        text += i == 0 ? "" : ", ";
        text += storage::key_text(table.columns[table.key[i]], columns[i]).value_or("?");
    }
    return text;
}

admin::Value distance_of(const Rows& rows, std::size_t at) {
    return at < rows.size() ? admin::Value(rows[at].distance) : admin::Value{};
}

}  // namespace

admin::Outcome explain_search(
    router::Router& router, const AskedStatement& asked, std::uint64_t wanted_max
) {
    auto taken = read_text(router, asked.text);
    if (auto* const complaint = std::get_if<router::Complaint>(&taken)) {
        return failure_of(std::move(*complaint));
    }
    Read& read = std::get<Read>(taken);
    const auto refused = fill(read, wanted_max);
    const bool called = is_served_call(read);
    const Reason why = refused ? *refused : decide(read, asked);
    const bool by_index = why == router::reason::local || why == router::reason::rewrite;
    const bool routed = read.route != nullptr;
    const std::string rule = routed ? rule_that_speaks(read, asked) : std::string();
    const bool parameter =
        (why == router::reason::vector_value || why == router::reason::parameter_types) &&
        read.query().vector.argument.source == parser::Argument::Source::parameter;
    return std::vector<admin::Row>{
        {parameter || called ? admin::Value{}
                             : admin::Value(std::string(by_index ? "veer" : "postgres")),
         std::string(called ? "function" : why),
         parameter ? "The query vector decides: write it into the statement."
         : called  ? "The function's body decides, which each session asks for: see SHOW veer.last."
                   : std::string(router::explanation(why)),
         routed ? admin::Value(read.route->name) : admin::Value{},
         routed ? admin::Value(read.route->traffic->share()) : admin::Value{},
         read.bucket ? admin::Value(100 * *read.bucket) : admin::Value{},
         text_or_null(rule),
         read.search ? admin::Value(static_cast<std::int64_t>(read.search->limit)) : admin::Value{},
         read.statement.plan == nullptr
             ? admin::Value{}
             : admin::Value(router::cutover::shape_text(read.statement.plan->shape_id))}};
}

admin::Result<router::compare::Observation> search_in(
    router::Router& router, const std::string& text, std::uint64_t wanted_max
) {
    auto taken = read_text(router, text);
    if (auto* const complaint = std::get_if<router::Complaint>(&taken)) {
        return failure_of(std::move(*complaint));
    }
    Read& read = std::get<Read>(taken);
    auto refused = fill(read, wanted_max);
    if (!refused && !read.route->live()) {
        refused = router::reason::not_live;
    }
    if (refused) {
        return admin::Failure{
            .sqlstate = "0A000",
            .message = "it cannot be compared: " + std::string(*refused),
            .hint = std::string(router::explanation(*refused))};
    }
    const bool known = !read.query().vector.stored && !read.query().cast.to_half;
    auto observation =
        known ? router::observed(
                    read.routes, *read.route, read.query(), read.statement.plan->shape, *read.search
                )
              : std::nullopt;
    if (!observation) {
        return admin::Failure{
            .sqlstate = "0A000",
            .message = "searches of this kind are not compared",
            .hint =
                "Those of floats, among all rows or under a WHERE that the copy can tell whole, "
                "are."};
    }
    return *std::move(observation);
}

admin::Outcome side_by_side(const Mismatch& compared, const storage::Table& table) {
    const router::compare::Triangle& answers = compared.answers;
    const router::compare::Judgement& judgement = compared.judgement;
    const Rows veer = answers.veer.value_or(Rows{});
    const Rows exact = answers.exact.value_or(Rows{});
    const std::size_t places =
        std::min(answers.k, std::max({veer.size(), exact.size(), answers.postgres.size()}));
    std::vector<admin::Row> rows;
    for (std::size_t at = 0; at < places; ++at) {
        rows.push_back(
            {static_cast<std::int64_t>(at + 1),
             key_of(veer, at, table),
             distance_of(veer, at),
             key_of(exact, at, table),
             distance_of(exact, at),
             key_of(answers.postgres, at, table),
             distance_of(answers.postgres, at)}
        );
    }
    const admin::Row verdict{
        std::string(to_string(judgement.verdict)),
        judgement.recall,
        judgement.judged ? admin::Value(judgement.pg_recall) : admin::Value{},
        std::int64_t{compared.ef_search},
        compared.durations.veer,
        compared.durations.postgres};
    for (std::size_t at = 0; at < rows.size(); ++at) {
        for (const admin::Value& value : verdict) {
            rows[at].push_back(at == 0 ? value : admin::Value{});
        }
    }
    return rows;
}

}  // namespace veer::proxy
