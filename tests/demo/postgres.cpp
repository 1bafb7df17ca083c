#include "tests/demo/postgres.hpp"

#include <bit>
#include <utility>

namespace veer::demo {
namespace {

std::uint64_t read_int8(const char* bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof value; i++) {
        value = value << 8U | static_cast<unsigned char>(bytes[i]);
    }
    return value;
}

}  // namespace

Rows::Rows(PGresult* result) : result_(result, &PQclear) {}

int Rows::count() const {
    return PQntuples(result_.get());
}

std::string_view Rows::text(int row, int column) const {
    const auto length = static_cast<std::size_t>(PQgetlength(result_.get(), row, column));
    return {PQgetvalue(result_.get(), row, column), length};
}

std::string_view Rows::text(int row, const std::string& column) const {
    const int number = PQfnumber(result_.get(), column.c_str());
    if (number < 0) {
        throw DatabaseError("the answer has no column " + column);
    }
    return text(row, number);
}

std::int64_t Rows::int8(int row, int column) const {
    return std::bit_cast<std::int64_t>(read_int8(PQgetvalue(result_.get(), row, column)));
}

double Rows::float8(int row, int column) const {
    return std::bit_cast<double>(read_int8(PQgetvalue(result_.get(), row, column)));
}

Connection::Connection(const std::string& dsn) : connection_(PQconnectdb(dsn.c_str()), &PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        fail();
    }
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr
    );
}

Rows Connection::execute(const std::string& sql) {
    return checked(PQexec(connection_.get(), sql.c_str()));
}

void Connection::start(const std::string& sql) {
    if (PQsendQuery(connection_.get(), sql.c_str()) == 0) {
        fail();
    }
}

bool Connection::finished() {
    if (PQconsumeInput(connection_.get()) == 0) {
        fail();
    }
    return PQisBusy(connection_.get()) == 0;
}

Rows Connection::collect() {
    PGresult* const result = PQgetResult(connection_.get());
    while (PGresult* const rest = PQgetResult(connection_.get())) {
        PQclear(rest);
    }
    return checked(result);
}

void Connection::prepare(const std::string& name, const std::string& sql) {
    checked(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr));
}

Rows Connection::run(const std::string& name, std::span<const std::string> parameters) {
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const std::string& parameter : parameters) {
        values.push_back(parameter.data());
        lengths.push_back(static_cast<int>(parameter.size()));
    }
    const std::vector<int> formats(parameters.size(), 1);
    return checked(PQexecPrepared(
        connection_.get(),
        name.c_str(),
        static_cast<int>(parameters.size()),
        values.data(),
        lengths.data(),
        formats.data(),
        1
    ));
}

void Connection::begin_copy(const std::string& sql) {
    checked(PQexec(connection_.get(), sql.c_str()));
}

void Connection::copy(std::string_view chunk) {
    if (PQputCopyData(connection_.get(), chunk.data(), static_cast<int>(chunk.size())) != 1) {
        fail();
    }
}

void Connection::end_copy() {
    if (PQputCopyEnd(connection_.get(), nullptr) != 1) {
        fail();
    }
    collect();
}

Rows Connection::checked(PGresult* result) {
    Rows rows(result);
    switch (PQresultStatus(result)) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_COPY_IN:
            return rows;
        default:
            fail();
    }
}

void Connection::fail() {
    std::string message = PQerrorMessage(connection_.get());
    message.erase(message.find_last_not_of('\n') + 1);
    throw DatabaseError(message);
}

void append_int(std::string& bytes, std::uint64_t value, std::size_t width) {
    while (width-- > 0) {
        bytes.push_back(static_cast<char>(value >> (8 * width)));
    }
}

std::string vector_bytes(std::span<const float> vector) {
    std::string bytes;
    bytes.reserve(4 + 4 * vector.size());
    append_int(bytes, vector.size(), 2);
    append_int(bytes, 0, 2);
    for (const float component : vector) {
        append_int(bytes, std::bit_cast<std::uint32_t>(component), 4);
    }
    return bytes;
}

}  // namespace veer::demo
