#include "proxy/compare/pgvector.hpp"

#include "proxy/candidate/condition_text.hpp"
#include "proxy/candidate/nearest_statement.hpp"
#include "proxy/candidate/row_text.hpp"
#include "router/rewrite.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

namespace veer::proxy::compare {

namespace {

using candidate::condition_text;
using candidate::table_alias;
using candidate::vector_text;
using router::compare::Rows;
using storage::source::Connection;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

storage::Error unexpected(std::string message) {
    return {storage::Errc::unexpected, std::move(message)};
}

bool contains(const Rows& rows, const std::string& key) {
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.key == key; });
}

/// Rows of veer's that Postgres has not returned.
Rows only_in_veer(const Question& question, const Rows& postgres) {
    Rows rows;
    std::set<std::string> known;
    if (question.veer != nullptr) {
        for (const index::Hit& row : *question.veer) {
            if (!contains(postgres, row.key) && known.insert(row.key).second) {
                rows.push_back(row);
            }
        }
    }
    return rows;
}

/// Two answers of Postgres', place by place.
bool as_far(const Rows& a, const Rows& b, const router::compare::Tolerance& tolerance) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const auto& x, const auto& y) {
        return tolerance.same(x.distance, y.distance);
    });
}

}  // namespace

/// What the statements of one question have in common.
struct Pgvector::Statement {
    std::string select;     ///< SELECT keys, distance FROM table
    std::string distance;   ///< the expression to order by
    std::string nearest;    ///< [WHERE ...] ORDER BY ... LIMIT ...
    std::string condition;  ///< the question's filter; empty where there is none
    std::string vector;     ///< $1
    std::size_t key_columns = 0;
};

storage::Result<PgAnswer> Pgvector::ask(const Question& question) {
    if (!connection_) {
        auto opened = Connection::open(
            {.dsn = dsn_, .application_name = "veer compare", .replication = false, .wake = &wake_}
        );
        if (!opened.has_value()) {
            return storage::Error{storage::Errc::connection, opened.error().message};
        }
        connection_.emplace(*std::move(opened));
    }
    auto answer = ask_connected(question);
    if (!answer.has_value()) {
        connection_.reset();  // whatever the transaction's state is, it goes with it
    }
    return answer;
}

storage::Result<Pgvector::Statement> Pgvector::begin(const Question& question, PgAnswer& answer) {
    const storage::Table& table = question.column.table;
    std::string sql =
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = " +
        std::to_string(statement_time_max.count()) +
        "; SET LOCAL extra_float_digits = 1; SET LOCAL standard_conforming_strings = on; ";
    if (question.ef_search) {
        sql += "SET LOCAL hnsw.ef_search = " + std::to_string(*question.ef_search) + "; ";
    }
    const storage::AnnIndex& ann = question.column.ann;
    const storage::Column& vector = table.columns[table.vectors[ann.vector]];
    sql +=
        "SELECT pg_catalog.pg_current_snapshot()::pg_catalog.text"
        ", pg_catalog.current_setting('hnsw.ef_search', true)"
        ", (SELECT n.nspname FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n"
        " ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace WHERE o.oid OPERATOR(pg_catalog.=) " +
        std::to_string(question.column.ann.operator_oid) + "), pg_catalog.format_type(" +
        std::to_string(ann.declared ? ann.type_oid : vector.type_oid) +
        ", NULL)";  // qualified, as search_path is empty
    const auto begun = connection_->query(sql);
    if (!begun.has_value()) {
        return begun.error();
    }
    if (begun->size() != 1 || begun->is_null(0, 2) || begun->is_null(0, 3)) {
        return unexpected("The operator is gone.");
    }
    const auto snapshot = router::compare::PgSnapshot::parse(begun->text(0, 0));
    if (!snapshot) {
        return unexpected("Postgres gave no snapshot.");
    }
    constexpr std::uint32_t pgvector_default = 40;
    answer.snapshot = *snapshot;
    answer.ef_search = pgvector_default;
    const std::string ef = begun->text(0, 1);
    std::from_chars(ef.data(), ef.data() + ef.size(), answer.ef_search);
    Statement statement;
    statement.distance = candidate::distance_by_operator(
        router::vector_expression(table, ann, table_alias, begun->text(0, 3)),
        begun->text(0, 2),
        ann.operator_name,
        begun->text(0, 3)
    );
    statement.select = candidate::select_rows(table, {}, statement.distance);
    if (question.filter != nullptr) {
        auto condition = condition_text(*question.filter, table, table_alias);
        if (!condition) {
            return unexpected("A value of the condition cannot be written for sure.");
        }
        statement.condition = *std::move(condition);
    }
    statement.nearest =
        (statement.condition.empty() ? std::string() : "WHERE " + statement.condition + ' ') +
        "ORDER BY " + statement.distance + " LIMIT " + std::to_string(question.k);
    statement.vector = vector_text(question.vector);
    statement.key_columns = table.key.size();
    return statement;
}

storage::Result<Rows> Pgvector::rows_of(const Statement& statement, const std::string& tail) {
    return rows_of(statement, statement.select, tail);
}

storage::Result<Rows> Pgvector::rows_of(
    const Statement& statement, const std::string& select, const std::string& tail
) {
    const auto result = connection_->query(select + tail, statement.vector);
    if (!result.has_value()) {
        return result.error();
    }
    Rows rows;
    for (int r = 0; r < result->size(); ++r) {
        if (auto row = candidate::read_row(*result, r, statement.key_columns)) {
            rows.push_back(*std::move(row));
        }
    }
    return rows;
}

/// Asks for the rows that veer alone has returned.
storage::Result<void> Pgvector::confirm(
    const Question& question, const Statement& statement, PgAnswer& answer
) {
    const Rows doubtful = only_in_veer(question, answer.rows);
    if (doubtful.empty()) {
        return {};
    }
    const auto keys = router::key_condition(question.column.table, table_alias, doubtful);
    if (!keys) {
        return unexpected("A key of the index is not of its type.");
    }
    const auto there = rows_of(statement, "WHERE " + *keys);
    if (!there.has_value()) {
        return there.error();
    }
    for (const index::Hit& row : doubtful) {
        answer.confirmed[row.key] = std::nullopt;
    }
    for (const index::Hit& row : *there) {
        answer.confirmed[row.key] = row.distance;
    }
    if (!statement.condition.empty()) {
        const auto pass = rows_of(statement, "WHERE " + *keys + " AND " + statement.condition);
        if (!pass.has_value()) {
            return pass.error();
        }
        for (const index::Hit& row : *there) {
            if (!contains(*pass, row.key)) {
                answer.outside.insert(row.key);
            }
        }
    }
    if (question.ask_twice) {
        const auto again = rows_of(statement, statement.nearest);
        if (!again.has_value()) {
            return again.error();
        }
        answer.moving = !as_far(answer.rows, *again, question.tolerance);
    }
    return {};
}

/// Asks for what veer's nearest rows hold besides, where veer has given that out.
storage::Result<void> Pgvector::ask_payload(
    const Question& question, const Statement& statement, PgAnswer& answer
) {
    Rows rows;
    if (question.veer != nullptr && !question.columns.empty()) {
        for (const index::Hit& row : *question.veer) {
            if (rows.size() < payload_rows_max && row.values.size() == question.columns.size()) {
                rows.push_back({row.key, row.distance});
            }
        }
    }
    if (rows.empty()) {
        return {};
    }
    const storage::Table& table = question.column.table;
    const auto keys = router::key_condition(table, table_alias, rows);
    if (!keys) {
        return unexpected("A key of the index is not of its type.");
    }
    auto there = rows_of(
        statement,
        candidate::select_rows(table, question.columns, statement.distance),
        "WHERE " + *keys
    );
    if (!there.has_value()) {
        return there.error();
    }
    for (index::Hit& row : *there) {
        answer.payload.insert_or_assign(row.key, std::move(row.values));
    }
    return {};
}

storage::Result<PgAnswer> Pgvector::ask_connected(const Question& question) {
    PgAnswer answer;
    const auto statement = begin(question, answer);
    if (!statement.has_value()) {
        return statement.error();
    }
    const Clock::time_point start = Clock::now();
    auto rows = rows_of(*statement, statement->nearest);
    if (!rows.has_value()) {
        return rows.error();
    }
    answer.milliseconds = milliseconds_since(start);
    answer.rows = *std::move(rows);
    if (const auto confirmed = confirm(question, *statement, answer); !confirmed.has_value()) {
        return confirmed.error();
    }
    if (const auto asked = ask_payload(question, *statement, answer); !asked.has_value()) {
        return asked.error();
    }
    const Clock::time_point before = Clock::now();
    const auto position = connection_->query(
        "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
        "ELSE pg_catalog.pg_current_wal_insert_lsn() END"
    );
    answer.round_trip_ms = milliseconds_since(before);
    if (!position.has_value()) {
        return position.error();
    }
    constexpr std::uint32_t wal_block_size = 8192;
    constexpr std::uint32_t wal_segment_size = 16U * 1024 * 1024;
    answer.lsn = storage::normalise_insert_lsn(
        storage::parse_lsn(position->text(0, 0)), wal_block_size, wal_segment_size
    );
    if (const auto ended = connection_->query("COMMIT"); !ended.has_value()) {
        return ended.error();
    }
    return answer;
}

}  // namespace veer::proxy::compare
