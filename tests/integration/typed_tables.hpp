#pragma once

#include "tests/support/client.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/veer_process.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace veer::tests {

/// One column type under one of its operators, and values to search it with.
struct TypedSearch {
    std::string table;
    std::string type;  ///< with its dimensions, as the column has it
    std::string operator_name;
    std::string operator_class;
    std::string query;                    ///< a value of the type, as text
    std::vector<std::string> zeros = {};  ///< values that pgvector does not search for
    std::vector<std::string> malformed = {};

    /// SELECT outputs FROM table ORDER BY e OP vector LIMIT 10.
    std::string select(const std::string& outputs, const std::string& vector) const;

    /// `e OP vector`.
    std::string distance(const std::string& vector) const;
};

std::vector<TypedSearch> typed_searches();

/// A real PostgreSQL with one table for each type, some hundred rows in it, among them NULL and
/// zero vectors; an hnsw index for each TypedSearch; and a veer that answers all of them.
class TypedTables {
  public:
    TypedTables();
    TypedTables(const TypedTables&) = delete;
    TypedTables& operator=(const TypedTables&) = delete;
    ~TypedTables();

    std::string direct() const { return postgres.dsn(); }

    std::string through() const { return veer.dsn("user=postgres dbname=postgres"); }

    PostgresServer postgres;
    std::filesystem::path directory;
    VeerProcess veer;

  private:
    std::string create_tables();
};

}  // namespace veer::tests
