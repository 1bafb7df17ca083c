#pragma once

#include "tests/support/client.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/veer_process.hpp"

#include <filesystem>
#include <string>

namespace veer::tests {

/// A real PostgreSQL with pgvector, tables for searching, and a veer in front of it.
///
///     docs            bigint key, cosine, text, timestamps     2,000 rows
///     points          uuid key, L2                             1,000
///     inner_products  int key, inner product                   1,000
///     pairs           two-column key, L2                       1,000
///     named           text key with quotes and backslashes     500, cosine
///
/// Everyone searches with hnsw.ef_search = 400 (a setting of the database), so that both engines
/// find the exact neighbours and answers can be compared row by row.
class Playground {
  public:
    /// Starts both; returns when all five routes are live.
    explicit Playground(
        const std::string& toml, VeerProcess::Build build = VeerProcess::Build::whole
    );
    Playground(const Playground&) = delete;
    Playground& operator=(const Playground&) = delete;
    ~Playground();

    std::string direct() const;
    std::string through() const;

    /// Waits until SHOW veer.routes says that every route has this percentage.
    void await_percent(const std::string& percent);

    /// The same tables with the same rows, on any server.
    static void make_tables(const PostgresServer& server);

    PostgresServer postgres;
    std::filesystem::path directory;
    VeerProcess veer;

  private:
    static std::filesystem::path fresh_directory();
    std::string create_tables();
    void await_live();
};

}  // namespace veer::tests
