#pragma once

#include "tests/support/postgres_client.hpp"

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace veer::tests {

/// A private PostgreSQL with pgvector, in a temporary directory, on a free loopback port.
///
///     constructor ─▶ initdb, start      restart(), stop(), kill_hard(), start()      destructor ─▶
///     gone
///
/// 1. It never outlives the test, even one that is killed: the postmaster gets SIGQUIT then.
/// 2. Run by root, it becomes user `postgres`, as PostgreSQL refuses root.
/// 3. Superuser "postgres", database "postgres" with the extension vector, no password, no fsync.
/// 4. Where PostgreSQL or pgvector is missing the constructor throws: the test fails, it is not
/// skipped.
class PostgresServer {
  public:
    /// `settings` go to postgresql.conf after the defaults, e.g. "wal_level = replica".
    explicit PostgresServer(const std::vector<std::string>& settings = {});
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;
    ~PostgresServer();

    /// libpq syntax, over TCP.
    std::string dsn(const std::string& user = "postgres", const std::string& database = "postgres")
        const;

    int port() const { return port_; }

    const std::filesystem::path& directory() const { return directory_; }

    /// One statement or more on a connection of its own.
    void exec(const std::string& sql) const;
    Rows query(const std::string& sql) const;
    std::string value(const std::string& sql) const;

    /// Adds a line to postgresql.conf; takes effect at the next start.
    void configure(const std::string& setting) const;

    void start();
    void stop();            ///< "fast": sessions end, everything is written
    void stop_immediate();  ///< as in a crash: recovery at the next start
    void restart();

  private:
    int run(const std::vector<std::string>& arguments) const;
    pid_t spawn(const std::vector<std::string>& arguments) const;
    void end(int signal);

    std::filesystem::path binaries_;
    std::filesystem::path directory_;
    int port_ = 0;
    pid_t postmaster_ = -1;
};

}  // namespace veer::tests
