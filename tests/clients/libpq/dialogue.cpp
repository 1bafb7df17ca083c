#include "tests/clients/libpq/dialogue.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace veer::clients {

namespace {

constexpr auto patience = std::chrono::seconds(180);

Json number(long long value) {
    return {std::to_string(value)};
}

Json text_or_null(const char* text) {
    return text == nullptr ? Json{"null"} : json(text);
}

Json values_of(const PGresult* result) {
    std::vector<Json> rows;
    for (int row = 0; row < PQntuples(result); ++row) {
        std::vector<Json> cells;
        for (int column = 0; column < PQnfields(result); ++column) {
            const std::string value(
                PQgetvalue(result, row, column),
                static_cast<std::size_t>(PQgetlength(result, row, column))
            );
            // A binary double is compared as a number: distances may differ in their last bits.
            if (PQgetisnull(result, row, column) != 0) {
                cells.push_back({"null"});
            } else if (PQfformat(result, column) == 1 && PQftype(result, column) == 701) {
                std::uint64_t bits = 0;
                for (const char byte : value) {
                    bits = bits << 8U | static_cast<unsigned char>(byte);
                }
                std::array<char, 40> written{};
                std::snprintf(written.data(), written.size(), "%.17g", std::bit_cast<double>(bits));
                cells.push_back(json(written.data()));
            } else {
                cells.push_back(json(value));
            }
        }
        rows.push_back(json(cells));
    }
    return json(rows);
}

Json columns_of(const PGresult* result) {
    std::vector<Json> columns;
    columns.reserve(static_cast<std::size_t>(PQnfields(result)));
    for (int column = 0; column < PQnfields(result); ++column) {
        columns.push_back(json(std::vector<Json>{
            json(PQfname(result, column)),
            number(PQftype(result, column)),
            number(PQfmod(result, column)),
            number(PQfsize(result, column)),
            number(PQftable(result, column)),
            number(PQftablecol(result, column)),
            number(PQfformat(result, column))}));
    }
    for (int parameter = 0; parameter < PQnparams(result); ++parameter) {
        columns.push_back(number(PQparamtype(result, parameter)));
    }
    return json(columns);
}

Json error_of(const PGresult* result) {
    constexpr std::array<int, 11> fields = {
        PG_DIAG_SEVERITY,
        PG_DIAG_SEVERITY_NONLOCALIZED,
        PG_DIAG_SQLSTATE,
        PG_DIAG_MESSAGE_PRIMARY,
        PG_DIAG_MESSAGE_DETAIL,
        PG_DIAG_MESSAGE_HINT,
        PG_DIAG_STATEMENT_POSITION,
        PG_DIAG_CONTEXT,
        PG_DIAG_TABLE_NAME,
        PG_DIAG_CONSTRAINT_NAME,
        PG_DIAG_SOURCE_FUNCTION};
    std::vector<Json> told;
    told.reserve(fields.size());
    for (const int field : fields) {
        told.push_back(text_or_null(PQresultErrorField(result, field)));
    }
    return json(told);
}

}  // namespace

Json json(const std::string& text) {
    std::string quoted = "\"";
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        if (byte >= ' ' && byte <= '~' && each != '"' && each != '\\') {
            quoted += each;
        } else {
            std::array<char, 8> escape{};
            std::snprintf(escape.data(), escape.size(), "\\u%04x", byte);
            quoted += escape.data();
        }
    }
    return {quoted + '"'};
}

Json json(const std::vector<Json>& list) {
    std::string text = "[";
    for (const Json& each : list) {
        text += (text.size() > 1 ? "," : "") + each.text;
    }
    return {text + ']'};
}

Json described(const PGresult* result) {
    if (result == nullptr) {
        return {"null"};
    }
    std::vector<Json> told = {json(PQresStatus(PQresultStatus(result)))};
    if (PQresultStatus(result) == PGRES_FATAL_ERROR ||
        PQresultStatus(result) == PGRES_NONFATAL_ERROR) {
        told.push_back(error_of(result));
    } else {
        told.push_back(json(PQcmdStatus(const_cast<PGresult*>(result))));
        told.push_back(columns_of(result));
        told.push_back(values_of(result));
    }
    return json(told);
}

void wait_until(const std::function<bool()>& holds, const std::string& what) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) {
            give_up("waited in vain for " + what);
        }
    }
}

Connection Dialogue::try_connect(const std::string& options) const {
    const std::string target = "host=127.0.0.1 port=" + std::to_string(port_) +
                               " user=app password='correct horse' dbname=postgres ";
    return {PQconnectdb((target + options).c_str()), &PQfinish};
}

Connection Dialogue::connect(const std::string& options) const {
    Connection connection = try_connect(options);
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        give_up(PQerrorMessage(connection.get()));
    }
    return connection;
}

void Dialogue::note(const std::string& step, const Json& result) const {
    std::cout << "{\"step\":" << json(step).text << ",\"result\":" << result.text << "}\n"
              << std::flush;
}

void Dialogue::search(
    const std::string& step,
    const std::string& expected,
    PGconn* session,
    const std::function<Result()>& ask
) const {
    Json rows;
    Json answer{"null"};
    wait_until(
        [&] {
            const Result found = ask();
            if (PQntuples(found.get()) == 0) {
                give_up(step + ": no rows");
            }
            rows = described(found.get());
            if (!through_veer_) {
                return true;
            }
            const Result last = run(session, "SHOW veer.last");
            const std::string reason = PQgetvalue(last.get(), 0, 1);
            answer = json(std::vector<Json>{json(PQgetvalue(last.get(), 0, 0)), json(reason)});
            return reason != "behind";
        },
        "the index to catch up (" + step + ")"
    );
    std::cout << "{\"step\":" << json(step).text << ",\"result\":" << rows.text
              << ",\"expected\":" << json(expected).text << ",\"answer\":" << answer.text << "}\n"
              << std::flush;
}

Result owned(PGresult* result) {
    return {result, &PQclear};
}

Result run(PGconn* session, const std::string& sql) {
    return owned(PQexec(session, sql.c_str()));
}

Result run(
    PGconn* session, const std::string& sql, const std::vector<std::string>& values, bool binary
) {
    std::vector<const char*> pointers;
    pointers.reserve(values.size());
    for (const std::string& value : values) {
        pointers.push_back(value.c_str());
    }
    return owned(PQexecParams(
        session,
        sql.c_str(),
        static_cast<int>(values.size()),
        nullptr,
        pointers.data(),
        nullptr,
        nullptr,
        binary ? 1 : 0
    ));
}

void give_up(const std::string& why) {
    std::cout.flush();
    std::cerr << why << '\n';
    std::exit(1);
}

}  // namespace veer::clients
