#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct pg_conn;

namespace veer::tests {

/// Everything that a client can see of one statement's result.
struct Outcome {
    struct Column {
        std::string name;
        unsigned table = 0;
        int attnum = 0;
        unsigned type = 0;
        int typmod = 0;
        int size = 0;
        int format = 0;

        friend bool operator==(const Column&, const Column&) = default;
    };

    std::string status;    ///< PQresStatus
    std::string tag;       ///< PQcmdStatus
    std::string sqlstate;  ///< empty where it succeeded
    std::string message;   ///< primary message
    std::vector<Column> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;

    friend bool operator==(const Outcome&, const Outcome&) = default;

    /// First field of the first row; empty where there is none.
    std::string value() const;
};

/// A libpq client. Throws std::runtime_error where it cannot connect.
class Client {
  public:
    explicit Client(const std::string& dsn);

    /// The simple protocol; the outcome of the last statement.
    Outcome simple(const std::string& sql);

    /// The extended protocol: one Parse, Bind, Describe, Execute, Sync with text parameters.
    Outcome extended(
        const std::string& sql,
        const std::vector<std::optional<std::string>>& parameters = {},
        bool binary_results = false
    );

    /// Parse as a named statement, once.
    Outcome prepare(const std::string& name, const std::string& sql);

    /// Bind, Describe, Execute of a named statement. `binary` parameters are given as bytes.
    Outcome execute(
        const std::string& name,
        const std::vector<std::optional<std::string>>& parameters,
        bool binary_parameters = false,
        bool binary_results = false
    );

    bool connected() const;
    int backend_pid() const;

    pg_conn* raw() const { return connection_.get(); }

  private:
    struct Finish {
        void operator()(pg_conn* connection) const;
    };

    std::unique_ptr<pg_conn, Finish> connection_;
};

}  // namespace veer::tests
