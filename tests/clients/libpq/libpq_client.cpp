// libpq: both protocols, both formats, prepared statements, single rows, COPY, notices, cancel,
// pipelines.

#include "tests/clients/libpq/dialogue.hpp"
#include "tests/clients/libpq/pipeline.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <thread>

namespace veer::clients {

namespace {

const std::string local = "SELECT id, e <=> $1 AS d FROM docs ORDER BY e <=> $1 LIMIT $2";
const std::string rewrite = "SELECT id, title, made, e <=> $1 AS d FROM docs ORDER BY d LIMIT $2";
const std::string large = "SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 20000) i";
const std::array searches = {std::pair{"local", local}, std::pair{"rewrite", rewrite}};

std::string literal(std::string sql, const std::string& probe, const std::string& limit) {
    for (auto at = sql.find("$1"); at != std::string::npos; at = sql.find("$1")) {
        sql.replace(at, 2, "'" + probe + "'");
    }
    return sql.replace(sql.find("$2"), 2, limit);
}

Json all_results(PGconn* session) {
    std::vector<Json> seen;
    for (Result each = owned(PQgetResult(session)); each; each = owned(PQgetResult(session))) {
        seen.push_back(described(each.get()));
    }
    return json(seen);
}

/// A vector as vector_recv reads it: dimensions, zero, the numbers as big-endian float4.
std::string binary_vector(const std::string& probe) {
    std::vector<float> numbers;
    for (const char* at = probe.c_str() + 1; *at != '\0';) {
        char* end = nullptr;
        numbers.push_back(std::strtof(at, &end));
        at = end + 1;
    }
    std::string bytes = {0, static_cast<char>(numbers.size()), 0, 0};
    for (const float number : numbers) {
        const auto bits = std::bit_cast<std::uint32_t>(number);
        for (const unsigned shift : {24U, 16U, 8U, 0U}) {
            bytes += static_cast<char>(bits >> shift & 0xffU);
        }
    }
    return bytes;
}

Result run_binary(PGconn* session, const std::string& sql, const std::string& probe) {
    const std::string vector = binary_vector(probe);
    const std::string limit = {0, 0, 0, 0, 0, 0, 0, 5};
    const std::array values = {vector.data(), limit.data()};
    const std::array lengths = {static_cast<int>(vector.size()), static_cast<int>(limit.size())};
    const std::array formats = {1, 1};
    return owned(PQexecParams(
        session, sql.c_str(), 2, nullptr, values.data(), lengths.data(), formats.data(), 1
    ));
}

void play_connections(const Dialogue& dialogue) {
    const Connection session =
        dialogue.connect("application_name='libpq client' options='-c jit=off'");
    std::vector<Json> told;
    for (const char* name :
         {"server_version",
          "client_encoding",
          "TimeZone",
          "application_name",
          "integer_datetimes"}) {
        told.push_back(json(PQparameterStatus(session.get(), name)));
    }
    told.push_back({std::to_string(PQprotocolVersion(session.get()))});
    told.push_back(described(run(session.get(), "SHOW jit").get()));
    told.push_back({std::to_string(PQbackendPID(session.get()) > 0 ? 1 : 0)});
    dialogue.note("connect", json(told));
    for (const char* options : {"password='correct house'", "dbname=nowhere", "user=nobody"}) {
        const Connection refused = dialogue.try_connect(options);
        dialogue.note(std::string("refused ") + options, json(PQerrorMessage(refused.get())));
    }
}

void play_values(const Dialogue& dialogue, PGconn* session) {
    const std::string every =
        "SELECT 1::int2, 2::int4, 3::int8, 1.5::float4, 0.1::float8, 12.34::numeric, 'text', true,"
        " '\\x00ff'::bytea, '2024-02-29 12:00+02'::timestamptz, '{1,NULL}'::int[], NULL::text, 'ü'";
    dialogue.note("simple", described(run(session, every).get()));
    dialogue.note("extended", described(run(session, every, {}).get()));
    dialogue.note("binary", described(run(session, every, {}, true).get()));
    for (const char* sql :
         {"",
          ";;",
          "SELECT 1; SELECT 2",
          "SELECT 1; SELECT 1/0; SELECT 3",
          "SELEC 1",
          "SELECT * FROM nowhere",
          "INSERT INTO ledger VALUES (1, -1)",
          "SELECT 'x'::int",
          "SELECT id FROM docs ORDER BY e <=> '[1]' LIMIT 1",
          "SHOW TimeZone",
          "SELECT WHERE false"}) {
        PQsendQuery(session, sql);
        dialogue.note(std::string("simple ") + sql, all_results(session));
        PQsendQueryParams(session, sql, 0, nullptr, nullptr, nullptr, nullptr, 0);
        dialogue.note(std::string("extended ") + sql, all_results(session));
    }
    std::vector<Json> heard;
    PQsetNoticeReceiver(
        session,
        [](void* into, const PGresult* notice) {
            static_cast<std::vector<Json>*>(into)->push_back(
                json(PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY))
            );
        },
        &heard
    );
    run(session, "DO $$ BEGIN RAISE NOTICE 'heard %', 1; RAISE WARNING 'and this'; END $$");
    dialogue.note("notices", json(heard));
    PQsetNoticeReceiver(
        session, [](void*, const PGresult*) {}, nullptr
    );
}

void play_searches(
    const Dialogue& dialogue, PGconn* session, const std::vector<std::string>& probes
) {
    for (const auto& [expected, sql] : searches) {
        const std::string name = std::string("near ") + expected;
        owned(PQprepare(session, name.c_str(), sql.c_str(), 0, nullptr));
        dialogue.note(
            "described", described(owned(PQdescribePrepared(session, name.c_str())).get())
        );
        for (const std::string& probe : probes) {
            const auto prepared = [&](int format) {
                const std::array values = {probe.c_str(), "5"};
                return owned(PQexecPrepared(
                    session, name.c_str(), 2, values.data(), nullptr, nullptr, format
                ));
            };
            const auto& text = sql;
            dialogue.search("search, simple", expected, session, [&] {
                return run(session, literal(text, probe, "5"));
            });
            for (const bool binary : {false, true}) {
                dialogue.search("search, extended", expected, session, [&] {
                    return run(session, text, {probe, "5"}, binary);
                });
                dialogue.search("search, prepared", expected, session, [&] {
                    return prepared(binary ? 1 : 0);
                });
            }
            dialogue.search("search, binary values", expected, session, [&] {
                return run_binary(session, text, probe);
            });
        }
    }
    for (const char* wrong : {"[1,2,3]", "[1,2,", "", "[1,2,3,4,5,6,7,NaN]"}) {
        const std::string step = std::string("vector ") + wrong;
        dialogue.note(step, described(run(session, local, {wrong, "5"}).get()));
    }
}

void play_transactions(const Dialogue& dialogue, PGconn* session, const std::string& probe) {
    const auto ask = [&] {
        return run(session, local, {probe, "5"});
    };
    const auto statement = [&](const std::string& sql) {
        const Result result = run(session, sql);
        const Json status{std::to_string(PQtransactionStatus(session))};
        dialogue.note(sql, json(std::vector<Json>{described(result.get()), status}));
    };
    statement("BEGIN");
    dialogue.search("search in a transaction", "local", session, ask);
    statement("INSERT INTO ledger VALUES (1, 1)");
    statement("SAVEPOINT s");
    statement("INSERT INTO ledger VALUES (1, 1)");
    dialogue.note("search in a failed transaction", described(ask().get()));
    statement("ROLLBACK TO s");
    dialogue.search("search after ROLLBACK TO", "transaction_wrote", session, ask);
    statement("COMMIT");
    dialogue.search("search after COMMIT", "local", session, ask);
    statement("BEGIN ISOLATION LEVEL SERIALIZABLE");
    dialogue.search("search at SERIALIZABLE", "isolation", session, ask);
    statement("ROLLBACK");
    statement("DELETE FROM ledger");
    run(session, "INSERT INTO docs VALUES (90001, 'nearest', '2024-01-01', '" + probe + "')");
    dialogue.search("search for what was inserted", "local", session, ask);
    run(session, "DELETE FROM docs WHERE id = 90001");
    dialogue.search("search for what was deleted", "local", session, ask);
}

void play_row_by_row(const Dialogue& dialogue, PGconn* session, const std::string& probe) {
    const std::array values = {probe.c_str(), "5"};
    for (const auto& [expected, sql] : searches) {
        PQsendQueryParams(session, sql.c_str(), 2, nullptr, values.data(), nullptr, nullptr, 0);
        PQsetSingleRowMode(session);
        dialogue.note("row by row", all_results(session));
        PQsendQuery(session, literal(sql, probe, "5").c_str());
        PQsetSingleRowMode(session);
        dialogue.note("row by row, simple", all_results(session));
    }
    PQsendQuery(session, large.c_str());
    PQsetSingleRowMode(session);
    std::size_t length = 0;
    for (Result row = owned(PQgetResult(session)); row; row = owned(PQgetResult(session))) {
        length +=
            PQntuples(row.get()) == 0 ? 0 : static_cast<std::size_t>(PQgetlength(row.get(), 0, 1));
    }
    dialogue.note("large, row by row", {std::to_string(length)});
}

void play_copies(const Dialogue& dialogue, PGconn* session) {
    run(session, "COPY ledger FROM STDIN");
    for (int id = 0; id < 5000; ++id) {
        const std::string row = std::to_string(id) + "\t1\tnote " + std::to_string(id) + "\n";
        PQputCopyData(session, row.data(), static_cast<int>(row.size()));
    }
    PQputCopyEnd(session, nullptr);
    dialogue.note("COPY in", all_results(session));
    for (const char* sql : {"COPY ledger TO STDOUT", "COPY ledger TO STDOUT (FORMAT binary)"}) {
        run(session, sql);
        std::size_t length = 0;
        char* row = nullptr;
        for (int got = PQgetCopyData(session, &row, 0); got > 0;
             got = PQgetCopyData(session, &row, 0)) {
            length += static_cast<std::size_t>(got);
            PQfreemem(row);
        }
        dialogue.note(sql, json(std::vector<Json>{{std::to_string(length)}, all_results(session)}));
    }
    run(session, "COPY ledger FROM STDIN");
    PQputCopyEnd(session, "given up");
    dialogue.note("COPY given up", all_results(session));
    dialogue.note("deleted", described(run(session, "DELETE FROM ledger").get()));
}

void play_notifications(const Dialogue& dialogue, PGconn* session) {
    const Connection other = dialogue.connect();
    run(session, "LISTEN news");
    run(other.get(), "SELECT pg_notify('news', n::text) FROM generate_series(1, 3) n");
    std::vector<Json> heard;
    wait_until(
        [&] {
            PQconsumeInput(session);
            for (PGnotify* each = PQnotifies(session); each != nullptr;
                 each = PQnotifies(session)) {
                heard.push_back(json(std::string(each->relname) + ' ' + each->extra));
                PQfreemem(each);
            }
            return heard.size() == 3;
        },
        "three notifications"
    );
    dialogue.note("notified", json(heard));
    run(session, "UNLISTEN *");
}

void play_cancels(const Dialogue& dialogue, PGconn* session, const std::string& probe) {
    const Connection watcher = dialogue.connect();
    const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> key(
        PQgetCancel(session), &PQfreeCancel
    );
    for (int round = 0; round < 3; ++round) {
        PQsendQuery(session, "SELECT pg_sleep(600)");
        wait_until(
            [&] {
                const Result asleep =
                    run(watcher.get(),
                        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
                return PQntuples(asleep.get()) == 1;
            },
            "the sleeper"
        );
        std::array<char, 256> error{};
        const int sent = PQcancel(key.get(), error.data(), static_cast<int>(error.size()));
        dialogue.note("cancel", json(std::to_string(sent) + error.data()));
        dialogue.note("cancelled", all_results(session));
        dialogue.search("search after being cancelled", "local", session, [&] {
            return run(session, local, {probe, "5"});
        });
    }
}

/// Cancels that come while the index answers: each search ends with rows or with 57014, and none
/// that comes after the cancelling has ended is hit. How many were hit is chance, and not told.
void play_racing_cancels(const Dialogue& dialogue, PGconn* session, const std::string& probe) {
    const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> key(
        PQgetCancel(session), &PQfreeCancel
    );
    std::jthread canceller([&](const std::stop_token& stop) {
        std::array<char, 256> error{};
        while (!stop.stop_requested()) {
            PQcancel(key.get(), error.data(), static_cast<int>(error.size()));
        }
    });
    bool well = true;
    constexpr int rounds = 200;
    for (int round = 0; round < rounds; ++round) {
        const Result found = run(session, local, {probe, "5"});
        const char* state = PQresultErrorField(found.get(), PG_DIAG_SQLSTATE);
        well = well &&
               (state == nullptr ? PQntuples(found.get()) == 5 : std::string(state) == "57014");
    }
    canceller.request_stop();
    canceller.join();
    dialogue.note("searches under a rain of cancels", {well ? "1" : "0"});
}

}  // namespace

int play(int port, bool through_veer, unsigned seed) {
    const Dialogue dialogue(port, through_veer);
    play_connections(dialogue);
    const Connection session = dialogue.connect();
    std::vector<std::string> probes;
    const Result found = run(session.get(), "SELECT v FROM probes ORDER BY n");
    probes.reserve(static_cast<std::size_t>(PQntuples(found.get())));
    for (int row = 0; row < PQntuples(found.get()); ++row) {
        probes.emplace_back(PQgetvalue(found.get(), row, 0));
    }
    play_values(dialogue, session.get());
    play_searches(dialogue, session.get(), probes);
    play_transactions(dialogue, session.get(), probes[0]);
    play_row_by_row(dialogue, session.get(), probes[0]);
    play_copies(dialogue, session.get());
    play_notifications(dialogue, session.get());
    play_cancels(dialogue, session.get(), probes[0]);
    play_racing_cancels(dialogue, session.get(), probes[0]);
    play_pipelines(dialogue, probes, seed);
    return 0;
}

}  // namespace veer::clients

// Another seed makes other random pipelines.
int main(int count, char** arguments) {
    std::vector<std::string> words(arguments + 1, arguments + count);
    const std::string option = "--seed=";
    unsigned seed = 11;
    if (!words.empty() && words.front().starts_with(option)) {
        seed = static_cast<unsigned>(std::atoi(words.front().c_str() + option.size()));
        words.erase(words.begin());
    }
    if (words.size() != 2) {
        veer::clients::give_up("usage: libpq_client [--seed=N] PORT postgres|veer");
    }
    return veer::clients::play(std::atoi(words[0].c_str()), words[1] == "veer", seed);
}
