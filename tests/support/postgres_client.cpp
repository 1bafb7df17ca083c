#include "tests/support/postgres_client.hpp"

#include <libpq-fe.h>

#include <stdexcept>
#include <thread>

namespace veer::tests {

void PostgresClient::Finish::operator()(pg_conn* connection) const {
    PQfinish(connection);
}

PostgresClient::PostgresClient(const std::string& dsn) : connection_{PQconnectdb(dsn.c_str())} {
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        throw std::runtime_error{PQerrorMessage(connection_.get())};
    }
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr
    );
}

Rows PostgresClient::query(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result{
        PQexec(connection_.get(), sql.c_str()), &PQclear};
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY &&
        status != PGRES_COPY_BOTH) {
        throw std::runtime_error{sql.substr(0, 200) + ": " + PQerrorMessage(connection_.get())};
    }
    Rows rows;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        rows.emplace_back();
        for (int column = 0; column < PQnfields(result.get()); ++column) {
            const bool null = PQgetisnull(result.get(), row, column) != 0;
            rows.back().emplace_back(null ? "\\N" : PQgetvalue(result.get(), row, column));
        }
    }
    return rows;
}

std::string PostgresClient::value(const std::string& sql) {
    const Rows rows = query(sql);
    if (rows.size() != 1 || rows.front().size() != 1) {
        throw std::runtime_error{sql.substr(0, 200) + ": not one value"};
    }
    return rows.front().front();
}

bool wait_until(const std::function<bool()>& predicate, std::chrono::milliseconds time_max) {
    const auto deadline = std::chrono::steady_clock::now() + time_max;
    while (!predicate()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

}  // namespace veer::tests
