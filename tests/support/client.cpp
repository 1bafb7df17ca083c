#include "tests/support/client.hpp"

#include <libpq-fe.h>

#include <stdexcept>

namespace veer::tests {

namespace {

std::string field(const PGresult* result, int code) {
    const char* text = PQresultErrorField(result, code);
    return text == nullptr ? "" : text;
}

Outcome take(PGresult* result) {
    Outcome outcome;
    outcome.status = PQresStatus(PQresultStatus(result));
    if (result == nullptr) {
        outcome.sqlstate = "08006";  // the connection had gone before
        return outcome;
    }
    outcome.tag = PQcmdStatus(result);
    outcome.sqlstate = field(result, PG_DIAG_SQLSTATE);
    outcome.message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    for (int c = 0; c < PQnfields(result); ++c) {
        outcome.columns.push_back(
            {.name = PQfname(result, c),
             .table = PQftable(result, c),
             .attnum = PQftablecol(result, c),
             .type = PQftype(result, c),
             .typmod = PQfmod(result, c),
             .size = PQfsize(result, c),
             .format = PQfformat(result, c)}
        );
    }
    for (int r = 0; r < PQntuples(result); ++r) {
        auto& row = outcome.rows.emplace_back();
        for (int c = 0; c < PQnfields(result); ++c) {
            if (PQgetisnull(result, r, c) == 1) {
                row.emplace_back(std::nullopt);
            } else {
                const auto length = static_cast<std::size_t>(PQgetlength(result, r, c));
                row.emplace_back(std::string(PQgetvalue(result, r, c), length));
            }
        }
    }
    PQclear(result);
    return outcome;
}

struct Parameters {
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
};

Parameters pack(const std::vector<std::optional<std::string>>& parameters, bool binary) {
    Parameters packed;
    for (const auto& parameter : parameters) {
        packed.values.push_back(parameter ? parameter->c_str() : nullptr);
        packed.lengths.push_back(parameter ? static_cast<int>(parameter->size()) : 0);
        packed.formats.push_back(binary ? 1 : 0);
    }
    return packed;
}

}  // namespace

std::string Outcome::value() const {
    return rows.empty() || rows[0].empty() ? "" : rows[0][0].value_or("");
}

void Client::Finish::operator()(pg_conn* connection) const {
    PQfinish(connection);
}

Client::Client(const std::string& dsn) : connection_(PQconnectdb(dsn.c_str())) {
    if (!connected()) {
        throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr
    );
}

bool Client::connected() const {
    return PQstatus(connection_.get()) == CONNECTION_OK;
}

int Client::backend_pid() const {
    return PQbackendPID(connection_.get());
}

Outcome Client::simple(const std::string& sql) {
    return take(PQexec(connection_.get(), sql.c_str()));
}

Outcome Client::extended(
    const std::string& sql,
    const std::vector<std::optional<std::string>>& parameters,
    bool binary_results
) {
    const Parameters packed = pack(parameters, false);
    return take(PQexecParams(
        connection_.get(),
        sql.c_str(),
        static_cast<int>(parameters.size()),
        nullptr,
        packed.values.data(),
        packed.lengths.data(),
        packed.formats.data(),
        binary_results ? 1 : 0
    ));
}

Outcome Client::prepare(const std::string& name, const std::string& sql) {
    return take(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr));
}

Outcome Client::execute(
    const std::string& name,
    const std::vector<std::optional<std::string>>& parameters,
    bool binary_parameters,
    bool binary_results
) {
    const Parameters packed = pack(parameters, binary_parameters);
    return take(PQexecPrepared(
        connection_.get(),
        name.c_str(),
        static_cast<int>(parameters.size()),
        packed.values.data(),
        packed.lengths.data(),
        packed.formats.data(),
        binary_results ? 1 : 0
    ));
}

}  // namespace veer::tests
