#pragma once

#include "parser/statement.hpp"
#include "router/partial_index.hpp"
#include "storage/lsn.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

struct Route;

inline constexpr std::int64_t no_timeout_ns = std::numeric_limits<std::int64_t>::max();

/// What decides whether this session's next search may be answered from the index: asked of the
/// session's own Postgres backend, in one row, instead of mirroring SET, SET LOCAL, SET ROLE,
/// search_path, temporary tables, savepoints, GRANT and DDL in veer. Postgres is right about all of
/// these by definition.
///
///     facts query ──▶ client's backend ──▶ one row ──▶ SessionFacts ──▶ decide()
///
/// Invariants:
/// 1. Facts hold until the session runs anything that might change them, until any session writes
/// through
///    veer (`write_epoch`), or for facts_age_max; whoever keeps them checks that.
/// 2. The facts query changes nothing, takes no lock beyond AccessShare on catalogues, uses only
///    qualified names, and cannot raise an error of its own in a healthy session.
struct SessionFacts {
    bool table_unchanged =
        false;                 ///< same OID, name and schema; storage::same_values() of the columns
    bool permitted = false;    ///< the current role may SELECT the key and vector columns
    bool row_security = true;  ///< row_security_active() for this role
    bool table_visible = false;     ///< the bare table name means this table
    bool operator_visible = false;  ///< the bare operator means pgvector's
    bool type_visible = false;      ///< the bare name "vector" means pgvector's type
    std::string extension_schema;   ///< where pgvector's operator and type live
    bool wrote = true;              ///< this transaction has an xid: it wrote or locked rows
    bool read_committed = false;
    /// client_encoding is UTF8 and standard_conforming_strings is on: a SET of the same batch is
    /// told in no other way before its Sync.
    bool utf8 = false;
    bool index_scans = false;      ///< enable_indexscan
    bool shortest_floats = false;  ///< extra_float_digits >= 1
    /// Values of Table::copied are what they were, and compare as veer compares them: no other
    /// operators than Postgres' own, no collation under which different texts are equal, UTF8.
    bool copies_hold = false;
    std::string copies_readable;   ///< 't' or 'f' for each of Table::copied: may the role SELECT it
    std::uint32_t ef_search = 40;  ///< hnsw.ef_search or what other extensions call it, the
                                   ///< largest that is set; or pgvector's default
    bool ef_is_set = false;   ///< hnsw.ef_search is the session's, or its role's or database's,
                              ///< even if it is pgvector's default; of a route that learns
    std::string route;        ///< veer.route: "", "auto", "postgres", "veer"
    std::string key;          ///< veer.key
    std::string role;         ///< current_user
    std::string application;  ///< application_name
    std::string freshness;    ///< veer.freshness: "" for the route's
    /// The shorter of idle_session_timeout and idle_in_transaction_session_timeout, which go on
    /// running while veer answers instead of the backend. Very long where there is none.
    std::int64_t idle_timeout_ns = no_timeout_ns;
    std::int64_t statement_timeout_ns = no_timeout_ns;
    IndexedRows indexed_rows;    ///< of pgvector's own index
    storage::Lsn token;          ///< WAL insert position: what was committed before the question
    std::uint32_t timeline = 0;  ///< that the token is a position of
};

/// SQL of the WAL insert position, behind all that its statement can see; NULL on a standby.
inline constexpr std::string_view token_expression =
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL"
    " ELSE pg_catalog.pg_current_wal_insert_lsn() END";

/// What a search has to wait for, given that position.
storage::Lsn read_token(std::string_view text);

/// The query for one route. A session of another database gets no row: databases made from one
/// template have the same OIDs and names. Nor does one whose search_path has a schema before
/// pg_catalog: the names of functions and types would be those of that schema.
std::string facts_query(const Route& route, std::string_view database);

/// To be added to it: that the other tables of a statement's FROM are tables, and so call nothing,
/// as a view might; and expression_condition(). Empty where there is nothing of the kind.
std::string joined_condition(const parser::NearestNeighbourQuery& query);

/// Decodes its row; nothing where the row is not as expected (the table is gone, or recovery).
std::optional<SessionFacts> decode_facts(
    const Route& route, const std::vector<std::optional<std::string_view>>& row
);

}  // namespace veer::router
