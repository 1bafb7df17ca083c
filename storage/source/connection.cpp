#include "storage/source/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>
#include <vector>

namespace veer::storage::source {

namespace {

using Clock = std::chrono::steady_clock;

/// libpq breaks its messages into lines: makes one of them, without a full stop.
std::string one_line(const char* message) {
    std::string line;
    for (const char letter : std::string_view{message == nullptr ? "" : message}) {
        const bool space = letter == '\n' || letter == '\t' || letter == ' ';
        if (!space) {
            line.push_back(letter);
        } else if (!line.empty() && line.back() != ' ') {
            line.push_back(' ');
        }
    }
    while (!line.empty() && (line.back() == ' ' || line.back() == '.')) {
        line.pop_back();
    }
    return line;
}

Errc classify(std::string_view sqlstate) {
    if (sqlstate.empty() || sqlstate.starts_with("08") || sqlstate.starts_with("57P") ||
        sqlstate.starts_with("53")) {
        return Errc::connection;
    }
    if (sqlstate == "42501" || sqlstate.starts_with("28")) {
        return Errc::not_permitted;
    }
    return Errc::unexpected;
}

}  // namespace

std::string session_settings(int server_version) {
    std::string settings =
        "SET search_path = ''; SET client_min_messages = warning; SET statement_timeout = 0; "
        "SET idle_in_transaction_session_timeout = 0; "
        "SET lock_timeout = 0; SET DateStyle = ISO; SET default_transaction_read_only = off";
    // An older server must be reached, too, for veer to say that it is too old.
    if (server_version >= 140'000) {
        settings += "; SET idle_session_timeout = 0";
    }
    if (server_version >= 170'000) {
        settings += "; SET transaction_timeout = 0";
    }
    return settings;
}

QueryResult::QueryResult(pg_result* result) : result_{result} {}

void QueryResult::Clear::operator()(pg_result* result) const {
    PQclear(result);
}

int QueryResult::size() const {
    return PQntuples(result_.get());
}

int QueryResult::columns() const {
    return PQnfields(result_.get());
}

bool QueryResult::is_null(int row, int column) const {
    return PQgetisnull(result_.get(), row, column) != 0;
}

std::string QueryResult::text(int row, int column) const {
    return {
        PQgetvalue(result_.get(), row, column),
        static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

bool QueryResult::boolean(int row, int column) const {
    return *PQgetvalue(result_.get(), row, column) == 't';
}

std::int64_t QueryResult::integer(int row, int column) const {
    const std::string value = text(row, column);
    std::int64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

void Connection::Finish::operator()(pg_conn* connection) const {
    PQfinish(connection);
}

void Connection::Free::operator()(char* memory) const {
    PQfreemem(memory);
}

Connection::Connection(pg_conn* connection, const ConnectOptions& options)
    : connection_{connection},
      wake_{options.wake},
      statement_time_max_{options.statement_time_max} {}

Result<Connection> Connection::open(const ConnectOptions& options) {
    // What follows dbname overrides what the DSN says.
    std::vector<std::pair<const char*, const char*>> parameters{
        {"dbname", options.dsn.c_str()},
        {"client_encoding", "UTF8"},
        {"application_name", options.application_name.c_str()},
        {"keepalives", "1"},
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "30000"}};
    if (options.replication) {
        parameters.emplace_back("replication", "database");
    }
    const std::string port = options.only_host ? std::to_string(options.only_host->port) : "";
    if (options.only_host) {
        parameters.emplace_back("host", options.only_host->name.c_str());
        if (options.only_host->by_address) {
            parameters.emplace_back("hostaddr", options.only_host->name.c_str());
        }
        parameters.emplace_back("port", port.c_str());
        parameters.emplace_back("target_session_attrs", "any");
    }
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    for (const auto& [keyword, value] : parameters) {
        keywords.push_back(keyword);
        values.push_back(value);
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    Connection made{PQconnectStartParams(keywords.data(), values.data(), 1), options};
    if (auto established = made.establish(options.connect_time_max); !established.has_value()) {
        return established.error();
    }
    if (auto set = made.query(session_settings(PQserverVersion(made.connection_.get())));
        !set.has_value()) {
        return set.error();
    }
    return made;
}

Result<void> Connection::establish(std::chrono::milliseconds time_max) {
    const Clock::time_point deadline = Clock::now() + time_max;
    if (connection_ == nullptr) {
        return Error{Errc::connection, "Out of memory."};
    }
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED || PQstatus(connection_.get()) == CONNECTION_BAD) {
            return failure(nullptr);
        }
        auto waited = wait(state == PGRES_POLLING_WRITING, deadline);
        if (!waited.has_value()) {
            return waited.error();
        }
        if (*waited == Waited::timed_out) {
            return Error{Errc::connection, "Postgres did not answer in time while connecting."};
        }
        state = PQconnectPoll(connection_.get());
    }
    PQsetnonblocking(connection_.get(), 1);
    return {};
}

Result<Connection::Waited> Connection::wait(bool for_write, Clock::time_point deadline) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    std::array<pollfd, 2> waited{{
        {PQsocket(connection_.get()), static_cast<short>(for_write ? POLLIN | POLLOUT : POLLIN), 0},
        {wake_ == nullptr ? -1 : wake_->fd(), POLLIN, 0},
    }};
    const auto timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    const int ready = poll(waited.data(), waited.size(), timeout);
    if (ready < 0 && errno != EINTR) {
        return Error{Errc::connection, "poll() failed."};
    }
    if (waited[1].revents != 0) {
        return Error{Errc::connection, "veer is stopping."};
    }
    return ready == 0 ? Waited::timed_out : Waited::ready;
}

Result<void> Connection::send_all(Clock::time_point deadline) {
    for (;;) {
        const int left = PQflush(connection_.get());
        if (left == 0) {
            return {};
        }
        if (left < 0) {
            return failure(nullptr);
        }
        auto waited = wait(true, deadline);
        if (!waited.has_value()) {
            return waited.error();
        }
        if (*waited == Waited::timed_out) {
            return Error{Errc::connection, "Postgres does not read what veer sends."};
        }
        if (PQconsumeInput(connection_.get()) == 0) {
            return failure(nullptr);
        }
    }
}

Result<pg_result*> Connection::next_result(Clock::time_point deadline) {
    while (PQisBusy(connection_.get()) != 0) {
        auto waited = wait(false, deadline);
        if (!waited.has_value()) {
            return waited.error();
        }
        if (*waited == Waited::timed_out) {
            const auto most = std::chrono::ceil<std::chrono::seconds>(statement_time_max_);
            return Error{
                Errc::connection,
                "Postgres did not answer a statement within " + std::to_string(most.count()) +
                    " s."};
        }
        if (PQconsumeInput(connection_.get()) == 0) {
            return failure(nullptr);
        }
    }
    return PQgetResult(connection_.get());
}

Result<QueryResult> Connection::query(const std::string& sql) {
    const Clock::time_point deadline = Clock::now() + statement_time_max_;
    if (PQsendQuery(connection_.get(), sql.c_str()) == 0) {
        return failure(nullptr);
    }
    return last_result(deadline);
}

Result<QueryResult> Connection::query(const std::string& sql, const std::string& parameter) {
    const Clock::time_point deadline = Clock::now() + statement_time_max_;
    const char* const value = parameter.c_str();
    if (PQsendQueryParams(
            connection_.get(), sql.c_str(), 1, nullptr, &value, nullptr, nullptr, 0
        ) == 0) {
        return failure(nullptr);
    }
    return last_result(deadline);
}

Result<QueryResult> Connection::last_result(Clock::time_point deadline) {
    if (auto sent = send_all(deadline); !sent.has_value()) {
        return sent.error();
    }
    QueryResult last{nullptr};
    std::optional<Error> failed;
    for (;;) {
        auto result = next_result(deadline);
        if (!result.has_value()) {
            return result.error();
        }
        if (*result == nullptr) {
            break;
        }
        last = QueryResult{*result};
        const ExecStatusType status = PQresultStatus(*result);
        if (!failed.has_value() && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            failed = failure(*result);
        }
        if (status == PGRES_COPY_BOTH || status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
            return Error{Errc::unexpected, "A statement turned out to be a COPY."};
        }
    }
    if (failed.has_value()) {
        return *failed;
    }
    return last;
}

Result<void> Connection::begin_copy(const std::string& sql) {
    const Clock::time_point deadline = Clock::now() + statement_time_max_;
    if (PQsendQuery(connection_.get(), sql.c_str()) == 0) {
        return failure(nullptr);
    }
    if (auto sent = send_all(deadline); !sent.has_value()) {
        return sent;
    }
    auto result = next_result(deadline);
    if (!result.has_value()) {
        return result.error();
    }
    const QueryResult owner{*result};
    const ExecStatusType status = PQresultStatus(*result);
    if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        return {};
    }
    const Error failed = failure(*result);
    for (auto rest = next_result(deadline); rest.has_value() && *rest != nullptr;
         rest = next_result(deadline)) {
        PQclear(*rest);
    }
    return failed;
}

Result<Connection::CopyData> Connection::read_copy(Clock::time_point deadline) {
    for (;;) {
        char* memory = nullptr;
        const int size = PQgetCopyData(connection_.get(), &memory, 1);
        copied_.reset(memory);
        if (size > 0) {
            return CopyData{.bytes = {memory, static_cast<std::size_t>(size)}};
        }
        if (size == -2) {
            return failure(nullptr);
        }
        if (size == -1) {
            break;
        }
        auto waited = wait(false, deadline);
        if (!waited.has_value()) {
            return waited.error();
        }
        if (*waited == Waited::timed_out) {
            return CopyData{.timed_out = true};
        }
        if (PQconsumeInput(connection_.get()) == 0) {
            return failure(nullptr);
        }
    }
    for (;;) {
        auto result = next_result(Clock::now() + statement_time_max_);
        if (!result.has_value()) {
            return result.error();
        }
        if (*result == nullptr) {
            return CopyData{.ended = true};
        }
        const QueryResult owner{*result};
        if (PQresultStatus(*result) == PGRES_FATAL_ERROR) {
            return failure(*result);
        }
        if (PQresultStatus(*result) == PGRES_COPY_IN) {
            // The server ended its side of a replication stream: it shuts down.
            return Error{Errc::connection, "Postgres ended the replication stream."};
        }
    }
}

Result<void> Connection::write_copy(std::string_view bytes) {
    if (PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) < 0) {
        return failure(nullptr);
    }
    return send_all(Clock::now() + statement_time_max_);
}

bool Connection::in_recovery() const {
    const char* const standby = PQparameterStatus(connection_.get(), "in_hot_standby");
    return standby != nullptr && std::string_view{standby} == "on";
}

std::string Connection::quote_identifier(std::string_view name) const {
    std::string quoted{"\""};
    for (const char letter : name) {
        quoted.append(letter == '"' ? 2 : 1, letter);
    }
    return quoted.append("\"");
}

std::string Connection::quote_literal(std::string_view text) const {
    const std::unique_ptr<char, Free> quoted{
        PQescapeLiteral(connection_.get(), text.data(), text.size())};
    return quoted == nullptr ? "NULL" : quoted.get();
}

Error Connection::failure(const pg_result* result) {
    const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    sqlstate_ = state == nullptr ? "" : state;
    const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char* const detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    if (primary == nullptr) {
        return {
            Errc::connection,
            "Postgres cannot be reached: " + one_line(PQerrorMessage(connection_.get())) + "."};
    }
    std::string message = "Postgres said: " + one_line(primary);
    if (detail != nullptr) {
        message += " (" + one_line(detail) + ")";
    }
    return {classify(sqlstate_), message + " [" + sqlstate_ + "]."};
}

}  // namespace veer::storage::source
