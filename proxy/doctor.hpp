#pragma once

#include "storage/source/catalogue.hpp"
#include "storage/source/wake.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::proxy {

/// What a server says of itself, as far as it matters to veer.
struct ServerFacts {
    std::string role;
    std::string database;
    std::string address;  ///< empty over a Unix socket
    int version = 0;      ///< server_version_num
    std::string version_text;
    bool in_recovery = false;
    std::string tls;           ///< version of the protocol; empty: not encrypted
    bool same_backend = true;  ///< two statements met the same server process: no pooler between
    double round_trip_ms = 0;

    std::string pgvector;  ///< installed version; empty: not in this database
    std::string pgvector_schema;
    std::string pgvector_available;

    std::string wal_level;
    bool may_replicate = false;
    bool has_rds_replication = false;
    bool may_create = false;  ///< CREATE on the database, for the publication
    std::int64_t slots_used = 0;
    std::int64_t slots_max = 0;
    std::int64_t senders_used = 0;
    std::int64_t senders_max = 0;
    std::int64_t slot_keep_mb = -1;  ///< max_slot_wal_keep_size; -1: no bound
    std::int64_t oldest_transaction_s = 0;
    std::int64_t prepared_transactions = 0;
    std::string idle_veer_slots;  ///< left by other veers, perhaps
};

/// A column of a pgvector type, whether veer can serve it or not.
struct VectorColumn {
    std::string table;  ///< schema.table
    std::string column;
    std::string type;
    double rows = 0;  ///< estimate
    bool row_security = false;
    bool has_key = true;
    bool owned = true;    ///< by the role, as CREATE PUBLICATION wants it
    std::string indexes;  ///< names and methods
};

struct DoctorFacts {
    ServerFacts server;
    std::vector<VectorColumn> columns;
    storage::source::Catalogue catalogue;
};

enum class Mark : std::uint8_t {
    good,
    note,     ///< worth knowing; never blocks
    problem,  ///< veer would serve nothing, or not this table
    aside,    ///< stays on Postgres, and that is as it should be
};

/// "ok", "note", "problem", "aside".
std::string_view word_of(Mark mark);

struct Finding {
    std::string section;
    Mark mark = Mark::good;
    std::string text;
    std::string code = {};  ///< "VD001"; stable
    std::string fix = {};   ///< SQL, or what to do
};

/// Decides from facts alone.
std::vector<Finding> examine(const DoctorFacts& facts);

/// Reads the facts; changes nothing. Waits for no lock longer than two seconds, and for no
/// statement longer than ten; `wake` ends it at once.
storage::Result<DoctorFacts> read_facts(
    const std::string& dsn, const storage::source::Wake* wake = nullptr
);

bool has_problem(const std::vector<Finding>& findings);

std::string to_text(const std::vector<Finding>& findings, bool utf8);
std::string to_json(const std::vector<Finding>& findings);

/// The fixes of the problems, as a script for psql.
std::string to_sql(const std::vector<Finding>& findings);

}  // namespace veer::proxy
