#pragma once

#include "config/cutover.hpp"
#include "config/freshness.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace veer::config {

/// [listen]: where clients connect. A change needs a restart.
struct Listen {
    std::string address = "127.0.0.1";     ///< IP address or host name, not empty
    std::uint16_t port = 7432;             ///< 1 to 65535
    std::uint32_t max_connections = 1000;  ///< clients at once, 1 to 100000

    friend bool operator==(const Listen&, const Listen&) = default;
};

/// [upstream]: the Postgres behind veer. A change needs a restart.
struct Upstream {
    /// libpq connection string (keywords or URI) of veer's own connections; may hold a password, so
    /// it is shown to nobody without redact_dsn().
    std::string dsn = "host=127.0.0.1 port=5432 dbname=app user=veer";

    friend bool operator==(const Upstream&, const Upstream&) = default;
};

enum class TlsMode : std::uint8_t {
    automatic,  ///< prefer where a certificate is given, else disable
    disable,
    allow,   ///< clients may; the same as prefer, as in PgBouncer
    prefer,  ///< clients may
    require,
    verify_ca,    ///< and clients show a certificate that an authority of `ca` has signed
    verify_full,  ///< and its common name is the user's
};

/// [tls]: encryption towards clients; towards Postgres it is the dsn's (sslmode and so on).
struct Tls {
    TlsMode mode = TlsMode::automatic;
    std::string cert;  ///< PEM file with its chain
    std::string key;   ///< PEM file, mode 0600
    std::string ca;    ///< PEM file: who may sign client certificates

    TlsMode effective_mode() const {
        if (mode != TlsMode::automatic) {
            return mode;
        }
        return cert.empty() ? TlsMode::disable : TlsMode::prefer;
    }

    friend bool operator==(const Tls&, const Tls&) = default;
};

/// [auth]: where veer finds the SCRAM secrets by which it logs clients in itself; needed only where
/// both sides are encrypted (proxy/README.md).
struct Auth {
    std::string file;   ///< PgBouncer's userlist.txt; asked first
    std::string query;  ///< "default", or a statement with $1 for the user, run by the dsn's user

    friend bool operator==(const Auth&, const Auth&) = default;
};

/// [storage]: veer's own files. A change needs a restart.
struct Storage {
    std::string dir = "./veer-data";  ///< directory, made where it is missing
    /// How often what has changed of the graphs is written, 1s to 24h; 0 is never.
    std::chrono::milliseconds checkpoint_interval{60'000};
    /// Where the vectors are that codes stand for: in memory, or in a file in `dir` that the kernel
    /// caches as far as memory goes. By default the first 8 MiB of an index are in memory and the
    /// rest is in a file, where the file system suits.
    enum class Vectors { automatic, memory, file } vectors = Vectors::automatic;

    friend bool operator==(const Storage&, const Storage&) = default;
};

/// [sync]: how the copy is kept in step. A change needs a restart.
struct Sync {
    /// WAL that veer's replication slot may hold back on the upstream before veer drops the slot
    /// and copies again, 64MiB to 1048576GiB; 0 is no bound.
    std::uint64_t wal_keep_max = 16ULL << 30U;
    /// Rows of the copy that are compared with their tables in the background, each table about
    /// once an hour if it suffices; 0 to 1000000 a second, 0 is none.
    double verify_rate = 1'000;
    unsigned copy_connections = 2;  ///< that read a table side by side, 1 to 16
    /// Bytes a second that they may read, 64KiB to 1048576GiB; 0 is no bound.
    std::uint64_t copy_rate = 0;
    /// Bytes on disk of transactions that have not ended, 64MiB to 1048576GiB; the tables of one
    /// that goes beyond are copied again. 0: large ones come whole, with their commit, in memory.
    std::uint64_t streamed_max = 4ULL << 30U;
    unsigned build_threads =
        0;  ///< for indexes of copied and loaded rows, to 1024; 0: all processors

    friend bool operator==(const Sync&, const Sync&) = default;
};

/// Columns that are copied beside key and vector, so that the index can filter by them and answer
/// with them.
struct Columns {
    enum class Kind : std::uint8_t {
        automatic,  ///< "auto": the key and the types of fixed length, or these and a list of names
        none,
        all,  ///< of every type that veer can copy
    };

    Kind kind = Kind::automatic;
    std::vector<std::string> names = {};  ///< with `automatic` only; at most 100

    friend bool operator==(const Columns&, const Columns&) = default;
};

/// [defaults]: what holds for every route that does not say otherwise.
struct Defaults {
    double percent = 0;                            ///< share of searches for the index, 0 to 100
    std::chrono::milliseconds freshness_wait{50};  ///< for the index to catch up, 0 to 1m
    std::string salt;                              ///< varies who belongs to the share, <= 64 bytes
    std::string sticky_by = "auto";  ///< or role, application, session, shape, tag:NAME
    Columns columns = {};            ///< a change needs a restart
    Freshness freshness{};           ///< how old the copy may be

    friend bool operator==(const Defaults&, const Defaults&) = default;
};

/// [compare]: the sample of searches that is put to both engines and to the exact answer, beside
/// the clients' way.
struct Compare {
    double rate = 0.01;             ///< share of eligible searches, 0 (off) to 1
    double budget_per_second = 10;  ///< comparisons, 0 to 10000; what is beyond is dropped
    double load_max = 0.005;   ///< of all time that one is in flight, 0 to 64; 1 and more: no bound
    double judge_cores = 0.5;  ///< processors for exact answers, 0 to 64
    std::uint32_t keep = 200;  ///< answers that differed, 0 to 10000
    std::uint32_t golden = 200;  ///< searches a route kept with exact answers, 0 to 1000

    friend bool operator==(const Compare&, const Compare&) = default;
};

/// [limits]: what veer refuses to hold or to look at.
struct Limits {
    std::uint32_t k_max = 1000;                               ///< LIMIT + OFFSET, rows, 1 to 100000
    std::uint64_t result_bytes_max = 4ULL << 20U;             ///< a held answer, 64KiB to 1GiB
    std::uint64_t message_bytes_inspected_max = 1ULL << 20U;  ///< of a client, 1KiB to 1GiB
    std::chrono::milliseconds connect_timeout{10'000};        ///< to Postgres, 1ms to 10m
    std::chrono::milliseconds authentication_timeout{60'000};  ///< of a client, 100ms to 10m
    std::chrono::milliseconds client_idle_timeout{0};          ///< between transactions; 0: none
    std::chrono::milliseconds drain_timeout{10'000};           ///< at shutdown, 0 to 1h
    std::uint64_t session_bytes_max = 512ULL << 10U;           ///< waiting, 16KiB to 1GiB
    std::uint64_t unsent_bytes_max = 1ULL << 30U;  ///< waiting in all sessions, 1MiB to 1TiB
    /// Of all indexes, 1MiB to 1048576GiB; 0 is half of the machine's or control group's memory.
    std::uint64_t index_memory_max = 0;

    friend bool operator==(const Limits&, const Limits&) = default;
};

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };

/// [log]
struct Log {
    LogLevel level = LogLevel::info;

    friend bool operator==(const Log&, const Log&) = default;
};

/// [admin]: the console (a database of veer's own, on the ordinary port), and HTTP.
struct Admin {
    std::string database = "veer";  ///< <= 63 bytes; empty: every database is the upstream's
    std::string users;              ///< "alice, bob": may do everything
    std::string readonly_users;     ///< may look
    std::string file;               ///< PgBouncer's userlist.txt with their SCRAM secrets
    std::string http;  ///< ADDRESS:PORT of page, metrics and API; empty: none. Needs a restart

    friend bool operator==(const Admin&, const Admin&) = default;
};

/// schema.table.column as Postgres sees the names: unquoted ones folded to lower case.
struct ColumnName {
    std::string schema;
    std::string table;
    std::string column;

    friend bool operator==(const ColumnName&, const ColumnName&) = default;
};

/// Of a function, in a database.
struct FunctionName {
    std::string schema;
    std::string name;

    friend bool operator==(const FunctionName&, const FunctionName&) = default;
};

/// [[route]]: one column under one distance operator, with its own share of the traffic.
///
/// percent, salt, sticky_by, columns and freshness hold the values of [defaults] where the file
/// does not give them, compare_rate that of [compare].
struct Route {
    ColumnName column;
    std::string operator_name;  ///< "<->", "<=>", "<#>", "<+>", "<~>" or "<%>"
    double percent = 0;
    bool percent_given = false;  ///< by the file, and not by [defaults]
    std::string salt;
    /// Of its index, 64KiB to 1048576GiB; 0: as much as [limits] index_memory_max leaves.
    std::uint64_t memory_max = 0;
    double compare_rate = 0.01;
    std::string sticky_by = "auto";
    Columns columns = {};  ///< a change needs a restart
    Freshness freshness{};
    /// 1 to 16000: the column is read as vectors of so many, whatever its type; 0: it is of a type
    /// of pgvector's with fixed dimensions, or one of the two is a vector(n). A change needs a
    /// restart, as of the next.
    std::int32_t dimensions = 0;
    std::string legacy = {};        ///< coalesce(column, legacy); empty: the column alone
    bool skips_unparsable = false;  ///< else Postgres answers while there are such rows
    /// What is about `column` alone is answered from both, where veer answers it alone.
    bool searched_whole = false;

    bool is_declared() const { return dimensions > 0 || !legacy.empty(); }

    /// Orders that Postgres sorts by exactly, for want of an index that has them.
    bool order_by_similarity = false;  ///< 1 - distance DESC, and the like
    bool tie_breakers = false;         ///< ORDER BY distance, id
    bool learns_ef = false;            ///< where a session has not set ef_search: the least that
    double recall_target = 0.99;       ///< finds so much; 0.5 to 0.9999
    /// A search of which a walk or scan compares more vectors is Postgres' to answer; 0: no bound.
    std::uint64_t visits_max = 0;
    /// LANGUAGE sql functions whose calls are answered as if their bodies stood there.
    std::vector<FunctionName> functions = {};
    /// Another server that answers in the index' place, libpq syntax; empty: the index. It needs
    /// freshness = "eventual".
    std::string engine;
    std::string engine_operator;  ///< what it calls operator_name; empty: the same
    /// Its function that gives the distance; empty: the operator does.
    std::string engine_function;
    /// How far it may be behind, 0 to 24h: comparisons that differ count where the change log
    /// reaches back so far.
    std::chrono::milliseconds engine_lag_max{60'000};

    friend bool operator==(const Route&, const Route&) = default;
};

/// Everything that a veer.toml says, with defaults for what it leaves out.
///
///     veer.toml ──parse()──▶ Config ──copied──▶ whoever needs a part
///
/// 1. A Config that came out of parse() is within every limit stated here.
/// 2. No two routes have the same column, legacy column and operator.
/// 3. Plain values: nobody keeps a reference, a reload makes a new Config (config/diff.hpp).
struct Config {
    Listen listen;
    Upstream upstream;
    Tls tls;
    Auth auth;
    Storage storage;
    Sync sync;
    Defaults defaults;
    Compare compare;
    Limits limits;
    Log log;
    Admin admin;
    Cutover cutover;
    Gates gates;
    Guards guards;
    std::vector<Route> routes;
    std::vector<Rule> rules;

    friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace veer::config
