#include "tests/clients/libpq/pipeline.hpp"

#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <random>

namespace veer::clients {

namespace {

using Kind = Request::Kind;

const std::string local = "SELECT id, e <=> $1 AS d FROM docs ORDER BY e <=> $1 LIMIT $2";
const std::string rewrite = "SELECT id, title, made, e <=> $1 AS d FROM docs ORDER BY d LIMIT $2";
constexpr int random_pipelines = 80;
constexpr int requests_max = 24;

bool sent(PGconn* session, const Request& request) {
    std::vector<const char*> values;
    values.reserve(request.values.size());
    for (const std::string& value : request.values) {
        values.push_back(value.c_str());
    }
    const int count = static_cast<int>(values.size());
    const char* const* const given = values.data();
    const char* const sql = request.sql.c_str();
    const char* const name = request.name.c_str();
    const int format = request.binary ? 1 : 0;
    switch (request.kind) {
        case Kind::query:
            return PQsendQueryParams(
                       session, sql, count, nullptr, given, nullptr, nullptr, format
                   ) == 1;
        case Kind::prepare:
            return PQsendPrepare(session, name, sql, 0, nullptr) == 1;
        case Kind::execute:
            return PQsendQueryPrepared(session, name, count, given, nullptr, nullptr, format) == 1;
        case Kind::describe:
            return PQsendDescribePrepared(session, name) == 1;
        case Kind::sync:
            return PQpipelineSync(session) == 1;
        case Kind::flush:
            return PQsendFlushRequest(session) == 1;
    }
    return false;
}

/// Waits until the socket can be read, or written where something is left to write.
void await_socket(PGconn* session) {
    const bool writes = PQflush(session) == 1;
    pollfd socket{
        .fd = PQsocket(session),
        .events = static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN),
        .revents = 0};
    constexpr int milliseconds = 60'000;
    if (poll(&socket, 1, milliseconds) <= 0) {
        give_up("nothing came for a minute in a pipeline");
    }
    if ((socket.revents & POLLIN) != 0 && PQconsumeInput(session) == 0) {
        give_up(PQerrorMessage(session));
    }
}

/// Notices stand among the results where they came.
void note_notice(void* seen, const PGresult* notice) {
    static_cast<std::vector<Json>*>(seen)->push_back(described(notice));
}

/// Takes what has arrived; returns the number of syncs among it.
std::ptrdiff_t collect(PGconn* session, std::vector<Json>& seen) {
    std::ptrdiff_t syncs = 0;
    // libpq returns null behind each query's results, and again and again where nothing is left.
    for (int nulls = 0; nulls < 2 && PQisBusy(session) == 0;) {
        const Result result = owned(PQgetResult(session));
        if (result == nullptr) {
            ++nulls;
        } else {
            nulls = 0;
            seen.push_back(described(result.get()));
            syncs += PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC ? 1 : 0;
        }
    }
    return syncs;
}

Request query(const std::string& sql, std::vector<std::string> values = {}, bool binary = false) {
    return {
        .kind = Kind::query, .name = "", .sql = sql, .values = std::move(values), .binary = binary};
}

Request prepare(const std::string& name, const std::string& sql) {
    return {.kind = Kind::prepare, .name = name, .sql = sql, .values = {}, .binary = false};
}

Request execute(const std::string& name, std::vector<std::string> values, bool binary = false) {
    return {
        .kind = Kind::execute,
        .name = name,
        .sql = "",
        .values = std::move(values),
        .binary = binary};
}

Request describe(const std::string& name) {
    return {.kind = Kind::describe, .name = name, .sql = "", .values = {}, .binary = false};
}

Request flush() {
    return {.kind = Kind::flush, .name = "", .sql = "", .values = {}, .binary = false};
}

/// The situations of the list that every injecting proxy has to get right.
std::vector<std::vector<Request>> situations(const std::string& probe) {
    const Request near = query(local, {probe, "3"});
    const Request whole = query(rewrite, {probe, "3"});
    const Request one = query("SELECT $1::int", {"1"});
    const Request wrong = query("SELECT 1/$1::int", {"0"});
    const Request dimensions = query(local, {"[1,2,3]", "3"});
    const Request insert = query("INSERT INTO docs VALUES (90001, 'n', '2024-01-01', $1)", {probe});
    const Request clean = query("DELETE FROM docs WHERE id >= 90000");
    return {
        {one, near, one, sync()},
        {one, whole, one, sync()},
        {wrong, near, one, sync(), near, sync()},
        {near, wrong, near, sync(), one, sync()},
        {near, near, whole, whole, near, sync()},
        {insert, near, sync(), near, clean, near, sync(), near, sync()},
        {insert, near, wrong, sync(), near, sync()},
        {near, dimensions, near, sync(), near, sync()},
        {dimensions, sync(), near, sync()},
        {near, sync(), sync(), near, sync(), sync(), one, sync()},
        {near, flush(), one, flush(), whole, flush(), sync()},
        {query("BEGIN"), near, insert, near, query("ROLLBACK"), near, sync(), near, sync()},
        {query("BEGIN"),
         sync(),
         near,
         sync(),
         wrong,
         sync(),
         near,
         sync(),
         query("ROLLBACK"),
         sync()},
        {query("BEGIN"), near, wrong, near, sync(), near, query("COMMIT"), near, sync()},
        {query("SAVEPOINT s"), near, sync()},
        {query("BEGIN ISOLATION LEVEL REPEATABLE READ"), near, near, query("COMMIT"), near, sync()},
        {query("SET search_path = pg_catalog"),
         near,
         sync(),
         near,
         query("RESET search_path"),
         near,
         sync(),
         near,
         sync()},
        {prepare("p", local),
         describe("p"),
         execute("p", {probe, "4"}),
         execute("p", {probe, "2"}, true),
         sync(),
         execute("p", {probe, "4"}),
         query("DEALLOCATE p"),
         execute("p", {probe, "4"}),
         sync()},
        {prepare("p", local),
         prepare("p", local),
         execute("p", {probe, "4"}),
         sync(),
         execute("p", {probe, "4"}),
         sync(),
         query("DEALLOCATE ALL"),
         sync()},
        {query(""), near, query(""), sync()},
        {query("NOTIFY news"),
         near,
         query("LISTEN news"),
         near,
         sync(),
         query("UNLISTEN *"),
         sync()},
    };
}

/// Anything that may stand in a pipeline, likely or not.
Request any_request(std::mt19937& random, const std::vector<std::string>& probes) {
    const auto chosen = random() % probes.size();
    const std::string& probe = probes[chosen];
    const std::string limit = std::to_string(random() % 6);
    const bool binary = random() % 2 == 0;
    switch (random() % 22) {
        case 0:
        case 1:
        case 2:
            return query(local, {probe, limit}, binary);
        case 3:
        case 4:
            return query(rewrite, {probe, limit}, binary);
        case 5:
        case 6:
            return execute("near", {probe, limit}, binary);
        case 7:
            return execute("whole", {probe, limit}, binary);
        case 8:
            return query("SELECT $1::int, $2::text", {limit, probe}, binary);
        case 9:
            return random() % 3 == 0 ? query("SELECT 1/0") : query("SELECT 1");
        case 10:
            return random() % 3 == 0 ? query(local, {"[1,2]", limit}) : describe("near");
        case 11:
            return query("BEGIN");
        case 12:
            return query(random() % 2 == 0 ? "COMMIT" : "ROLLBACK");
        case 13:
            return query(random() % 2 == 0 ? "SAVEPOINT s" : "ROLLBACK TO s");
        case 14:  // one row for each vector, as nothing orders rows of the same distance
            return query(
                "INSERT INTO docs VALUES (90000 + $2, 'n', '2024-01-01', $1)"
                " ON CONFLICT DO NOTHING",
                {probe, std::to_string(chosen)}
            );
        case 15:
            return query("DELETE FROM docs WHERE id >= 90000");
        case 16:
            return flush();
        case 17:
            return random() % 3 == 0 ? query("DEALLOCATE near") : prepare("near", local);
        default:
            return sync();
    }
}

void end_transaction(std::vector<Request>& requests) {
    requests.push_back(sync());
    requests.push_back(query("ROLLBACK"));
    requests.push_back(sync());
}

void play_at_random(
    const Dialogue& dialogue, PGconn* session, const std::vector<std::string>& probes, unsigned seed
) {
    std::mt19937 random(seed);  // the same pipelines for PostgreSQL and for veer
    for (int number = 0; number < random_pipelines; ++number) {
        std::vector<Request> requests;
        for (auto left = 1 + random() % requests_max; left > 0; --left) {
            requests.push_back(any_request(random, probes));
        }
        end_transaction(requests);
        dialogue.note(
            "random pipeline " + std::to_string(number), play_pipeline(session, requests)
        );
    }
}

/// More than both sockets' buffers hold, read only while something is left to be sent.
void play_long(const Dialogue& dialogue, PGconn* session, const std::vector<std::string>& probes) {
    std::vector<Request> requests;
    for (std::size_t number = 0; number < 3000; ++number) {
        requests.push_back(query(local, {probes[number % probes.size()], "10"}));
        if (number % 7 == 0) {
            requests.push_back(query("SELECT $1::text", {std::string(2000, 'x')}));
        }
        if (number % 10 == 0) {
            requests.push_back(sync());
        }
    }
    requests.push_back(sync());
    dialogue.note("long pipeline", play_pipeline(session, requests));
}

}  // namespace

Request sync() {
    return {.kind = Kind::sync, .name = "", .sql = "", .values = {}, .binary = false};
}

Json play_pipeline(PGconn* session, const std::vector<Request>& requests) {
    std::vector<Json> seen;
    PQsetNoticeReceiver(session, &note_notice, &seen);
    PQsetnonblocking(session, 1);
    if (PQenterPipelineMode(session) == 0) {
        give_up("no pipeline mode");
    }
    for (const Request& request : requests) {
        if (!sent(session, request)) {
            give_up(PQerrorMessage(session));
        }
    }
    auto syncs = std::count_if(requests.begin(), requests.end(), [](const Request& request) {
        return request.kind == Kind::sync;
    });
    for (syncs -= collect(session, seen); syncs > 0; syncs -= collect(session, seen)) {
        await_socket(session);
    }
    if (PQexitPipelineMode(session) == 0) {
        give_up(PQerrorMessage(session));
    }
    PQsetnonblocking(session, 0);
    PQsetNoticeReceiver(
        session, [](void*, const PGresult*) {}, nullptr
    );
    return json(seen);
}

void play_pipelines(
    const Dialogue& dialogue, const std::vector<std::string>& probes, unsigned seed
) {
    const Connection session = dialogue.connect();
    int number = 0;
    for (std::vector<Request> requests : situations(probes[0])) {
        end_transaction(requests);
        const std::string step = "pipeline " + std::to_string(number++);
        dialogue.note(step, play_pipeline(session.get(), requests));
    }
    run(session.get(), "PREPARE near (vector, int) AS " + local);
    run(session.get(), "PREPARE whole (vector, int) AS " + rewrite);
    play_at_random(dialogue, session.get(), probes, seed);
    play_long(dialogue, session.get(), probes);
    run(session.get(), "DELETE FROM docs WHERE id >= 90000");
    dialogue.search("search after pipelines", "local", session.get(), [&] {
        return run(session.get(), local, {probes[0], "5"});
    });
}

}  // namespace veer::clients
