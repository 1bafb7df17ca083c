#include "proxy/candidate/postgres_candidate.hpp"

#include "index/elements.hpp"
#include "proxy/candidate/condition_text.hpp"
#include "proxy/candidate/nearest_statement.hpp"
#include "proxy/candidate/row_text.hpp"
#include "router/rewrite.hpp"
#include "storage/source/connection_string.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

namespace veer::proxy::candidate {

namespace {

using router::plain_literal;
using storage::source::Connection;
using Clock = std::chrono::steady_clock;

storage::Error unexpected(std::string message) {
    return {storage::Errc::unexpected, std::move(message)};
}

/// Of a type that the column there has, whatever schema it is in.
std::string vector_type_of(const storage::Table& table, const storage::Column& vector) {
    return " FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) " +
           plain_literal(table_name(table)) +
           "::pg_catalog.regclass AND a.attname OPERATOR(pg_catalog.=) " +
           plain_literal(vector.name);
}

}  // namespace

std::shared_ptr<void> Sessions::admit(const std::shared_ptr<Sessions>& sessions) {
    {
        const std::lock_guard lock(sessions->mutex_);
        if (Clock::now() < sessions->not_before_) {
            return nullptr;
        }
    }
    if (sessions->places_.fetch_add(1) >= places_max) {
        sessions->places_.fetch_sub(1);
        return nullptr;
    }
    return {sessions.get(), [sessions](void*) {
                sessions->places_.fetch_sub(1);
            }};
}

storage::Result<std::unique_ptr<Sessions::Session>> Sessions::take() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto session = std::move(idle_.back());
            idle_.pop_back();
            return session;
        }
    }
    // libpq's own words for a string that it does not understand repeat parts of it.
    if (auto target = storage::source::parse_connection_string(dsn_); !target.has_value()) {
        return target.error();
    }
    auto opened = Connection::open(
        {.dsn = dsn_,
         .application_name = "veer engine",
         .connect_time_max = connect_time_max,
         .statement_time_max = statement_time_max + std::chrono::milliseconds(500)}
    );
    if (!opened.has_value()) {
        return opened.error();
    }
    auto session = std::make_unique<Session>(Session{.connection = *std::move(opened)});
    const auto set = session->connection.query(
        "SET default_transaction_read_only = on; SET extra_float_digits = 1; "
        "SET standard_conforming_strings = on; SET statement_timeout = " +
        std::to_string(statement_time_max.count())
    );
    if (!set.has_value()) {
        return set.error();
    }
    return session;
}

void Sessions::give_back(std::unique_ptr<Session> session) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(session));
}

void Sessions::note_failure() {
    const std::lock_guard lock(mutex_);
    not_before_ = Clock::now() + pause;
    idle_.clear();
}

void Sessions::note_late() {
    const std::lock_guard lock(mutex_);
    not_before_ = Clock::now() + pause;
}

PostgresCandidate::PostgresCandidate(
    std::shared_ptr<Sessions> sessions,
    const index::IndexedColumn& column,
    DistanceNames names,
    std::chrono::milliseconds lag_max
)
    : sessions_(std::move(sessions)),
      table_(column.table),
      vector_(column.vector),
      names_(std::move(names)),
      lag_max_(lag_max) {}

router::Found PostgresCandidate::search(const router::SearchOrder& order) {
    const Clock::time_point start = Clock::now();
    auto session = sessions_->take();
    std::optional<storage::Error> failed;
    if (session.has_value()) {
        auto rows = ask(**session, order);
        if (rows.has_value()) {
            sessions_->give_back(*std::move(session));
            if (Clock::now() - start > answer_time_max) {
                sessions_->note_late();
            }
            return *std::move(rows);
        }
        failed = rows.error();
        if (failed->code != storage::Errc::connection) {
            sessions_->give_back(*std::move(session));
        }
    } else {
        failed = session.error();
    }
    spdlog::warn(
        "{}.{}: the route's other server did not answer, Postgres does: {}",
        table_.schema,
        table_.name,
        failed->message
    );
    if (failed->code == storage::Errc::connection) {
        sessions_->note_failure();
    }
    const std::lock_guard lock(mutex_);
    distance_.reset();
    types_.clear();
    return index::make_error_code(index::Errc::cancelled);
}

/// Operator and type as the column has them there, in whatever schema.
storage::Result<std::string> PostgresCandidate::by_operator(Sessions::Session& session) const {
    const storage::Column& vector = table_.columns[table_.vectors[vector_]];
    const auto found = session.connection.query(
        "SELECT n.nspname, pg_catalog.format_type(v.atttypid, NULL) FROM (SELECT a.atttypid" +
        vector_type_of(table_, vector) +
        ") v JOIN pg_catalog.pg_operator o ON o.oprleft OPERATOR(pg_catalog.=) v.atttypid"
        " AND o.oprright OPERATOR(pg_catalog.=) v.atttypid"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace"
        " WHERE o.oprname OPERATOR(pg_catalog.=) " +
        plain_literal(names_.operator_name)
    );
    if (!found.has_value()) {
        return found.error();
    }
    if (found->size() != 1) {
        return unexpected(
            "its column " + vector.name + " has no operator " + names_.operator_name + '.'
        );
    }
    return distance_by_operator(
        column_reference(vector), found->text(0, 0), names_.operator_name, found->text(0, 1)
    );
}

/// Likewise; where the name has a schema, that one's.
storage::Result<std::string> PostgresCandidate::by_function(Sessions::Session& session) const {
    const storage::Column& vector = table_.columns[table_.vectors[vector_]];
    const std::size_t dot = names_.function_name.find('.');
    const std::string name =
        dot == std::string::npos ? names_.function_name : names_.function_name.substr(dot + 1);
    const std::string schema = dot == std::string::npos
                                   ? ""
                                   : " AND n.nspname OPERATOR(pg_catalog.=) " +
                                         plain_literal(names_.function_name.substr(0, dot));
    const auto found = session.connection.query(
        "SELECT n.nspname, pg_catalog.format_type(v.atttypid, NULL) FROM (SELECT a.atttypid" +
        vector_type_of(table_, vector) +
        ") v JOIN pg_catalog.pg_proc p ON p.pronargs OPERATOR(pg_catalog.=) 2::pg_catalog.int2"
        " AND p.proargtypes[0] OPERATOR(pg_catalog.=) v.atttypid"
        " AND p.proargtypes[1] OPERATOR(pg_catalog.=) v.atttypid"
        " AND p.prokind OPERATOR(pg_catalog.=) 'f'::pg_catalog.\"char\" AND NOT p.proretset"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace"
        " WHERE p.proname OPERATOR(pg_catalog.=) " +
        plain_literal(name) + schema
    );
    if (!found.has_value()) {
        return found.error();
    }
    if (found->size() != 1) {
        return unexpected(
            "it has " + std::string(found->size() == 0 ? "no" : "more than one") + " function " +
            names_.function_name + " of two values of the type of its column " + vector.name + '.'
        );
    }
    return distance_by_function(
        column_reference(vector), found->text(0, 0), name, found->text(0, 1)
    );
}

storage::Result<PostgresCandidate::Expressions> PostgresCandidate::distance(
    Sessions::Session& session
) {
    {
        const std::lock_guard lock(mutex_);
        if (distance_) {
            return *distance_;
        }
    }
    const storage::Column& vector = table_.columns[table_.vectors[vector_]];
    if (vector.kind != storage::VectorKind::vector && vector.kind != storage::VectorKind::halfvec) {
        return unexpected("only vector and halfvec are asked for there.");
    }
    Expressions found;
    if (!names_.function_name.empty()) {
        auto told = by_function(session);
        if (!told.has_value()) {
            return told.error();
        }
        found.told = found.ordering = *std::move(told);
    }
    if (!names_.operator_name.empty()) {
        auto ordering = by_operator(session);
        if (!ordering.has_value()) {
            return ordering.error();
        }
        found.ordering = *std::move(ordering);
        found.told = found.told.empty() ? found.ordering : found.told;
    }
    const std::lock_guard lock(mutex_);
    distance_ = found;
    return found;
}

std::size_t PostgresCandidate::identity() const {
    return std::hash<std::string>{}(
        sessions_->dsn() + ' ' + names_.operator_name + ' ' + names_.function_name
    );
}

storage::Result<void> PostgresCandidate::know_types(Sessions::Session& session) {
    {
        const std::lock_guard lock(mutex_);
        if (!types_.empty()) {
            return {};
        }
    }
    const auto found = session.connection.query(
        "SELECT attname, atttypid FROM pg_catalog.pg_attribute WHERE attrelid"
        " OPERATOR(pg_catalog.=) " +
        plain_literal(table_name(table_)) +
        "::pg_catalog.regclass AND attnum OPERATOR(pg_catalog.>) 0 AND NOT attisdropped"
    );
    if (!found.has_value()) {
        return found.error();
    }
    const std::lock_guard lock(mutex_);
    for (int row = 0; row < found->size(); ++row) {
        std::uint32_t oid = 0;
        const std::string text = found->text(row, 1);
        std::from_chars(text.data(), text.data() + text.size(), oid);
        types_[found->text(row, 0)] = oid;
    }
    return {};
}

/// A cast, even one that Postgres makes by itself, could change a value.
std::optional<storage::Error> PostgresCandidate::refuse_types(const router::SearchOrder& order
) const {
    std::vector<std::size_t> needed(table_.key.begin(), table_.key.end());
    for (const std::size_t column : order.columns) {
        needed.push_back(table_.copied.at(column));
    }
    if (order.filter) {
        needed.insert(needed.end(), table_.copied.begin(), table_.copied.end());
    }
    const std::lock_guard lock(mutex_);
    for (const std::size_t position : needed) {
        const storage::Column& column = table_.columns[position];
        const auto found = types_.find(column.name);
        if (found == types_.end() || found->second != column.type_oid) {
            return unexpected("its column " + column.name + " is missing or of another type.");
        }
    }
    return std::nullopt;
}

/// Empty where it cannot be written.
std::string PostgresCandidate::statement(const router::SearchOrder& order, const Expressions& by)
    const {
    std::string sql = select_rows(table_, order.columns, by.told);
    if (order.filter) {
        const auto condition = condition_text(*order.filter, table_, table_alias);
        if (!condition) {
            return {};
        }
        sql += "WHERE " + *condition + ' ';
    }
    return sql + "ORDER BY " + by.ordering + " LIMIT " + std::to_string(order.rows);
}

storage::Result<std::vector<index::Hit>> PostgresCandidate::ask(
    Sessions::Session& session, const router::SearchOrder& order
) {
    const auto by = distance(session);
    if (!by.has_value()) {
        return by.error();
    }
    if (const auto known = know_types(session); !known.has_value()) {
        return known.error();
    }
    if (const auto refused = refuse_types(order)) {
        return *refused;
    }
    const auto ef = static_cast<std::uint32_t>(std::min<std::size_t>(order.ef, 1000));
    if (session.ef_search != ef) {
        const auto set = session.connection.query("SET hnsw.ef_search = " + std::to_string(ef));
        if (!set.has_value()) {
            return set.error();
        }
        session.ef_search = ef;
    }
    const std::string sql = statement(order, *by);
    if (sql.empty()) {
        return unexpected("a value of the condition cannot be written for sure.");
    }
    std::vector<float> memory;
    const auto result =
        session.connection.query(sql, vector_text(index::elements_of(order.vector, memory)));
    if (!result.has_value()) {
        return result.error();
    }
    std::vector<index::Hit> hits;
    for (int row = 0; row < result->size(); ++row) {
        if (auto hit = read_row(*result, row, table_.key.size())) {
            hits.push_back(*std::move(hit));
        }
    }
    // An index that is scanned on and on may be allowed to mix them up.
    std::stable_sort(hits.begin(), hits.end(), [](const index::Hit& a, const index::Hit& b) {
        return a.distance < b.distance;
    });
    return hits;
}

std::shared_ptr<router::Candidate> Candidates::make(
    const config::Route& route, const index::IndexedColumn& column
) {
    DistanceNames names{
        .operator_name = route.engine_operator, .function_name = route.engine_function};
    if (names == DistanceNames{}) {
        names.operator_name = column.ann.operator_name;
    }
    const std::lock_guard lock(mutex_);
    std::erase_if(servers_, [](const Server& each) { return each.sessions.expired(); });
    std::shared_ptr<Sessions> sessions;
    for (const Server& each : servers_) {
        if (each.dsn == route.engine) {
            sessions = each.sessions.lock();
        }
    }
    if (!sessions) {
        sessions = std::make_shared<Sessions>(route.engine);
        servers_.push_back({.dsn = route.engine, .sessions = sessions});
    }
    return std::make_shared<PostgresCandidate>(
        std::move(sessions), column, std::move(names), route.engine_lag_max
    );
}

}  // namespace veer::proxy::candidate
