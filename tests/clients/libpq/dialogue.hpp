#pragma once

#include <libpq-fe.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace veer::clients {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

/// JSON that has been written down already.
struct Json {
    std::string text;
};

Json json(const std::string& text);
Json json(const std::vector<Json>& list);

/// Everything that a PGresult holds: status, tag, columns, values, every field of an error.
Json described(const PGresult* result);

/// Runs until it holds; ends the program where that takes a minute.
void wait_until(const std::function<bool()>& holds, const std::string& what);

/// A C++ client's half of the matrix: says what it saw, one line of JSON a step (see ../README.md).
class Dialogue {
  public:
    Dialogue(int port, bool through_veer) : port_(port), through_veer_(through_veer) {}

    /// Ends the program where it cannot connect, unless `options` make that the point.
    Connection connect(const std::string& options = "") const;
    Connection try_connect(const std::string& options) const;

    void note(const std::string& step, const Json& result) const;

    /// `ask` runs one search in `session`. Asked again while the index is behind, as it may be
    /// after what might have been a write.
    void search(
        const std::string& step,
        const std::string& expected,
        PGconn* session,
        const std::function<Result()>& ask
    ) const;

  private:
    int port_;
    bool through_veer_;
};

/// A result that owns what libpq returned.
Result owned(PGresult* result);

/// By the simple protocol.
Result run(PGconn* session, const std::string& sql);

/// By the extended protocol, unnamed.
Result run(
    PGconn* session,
    const std::string& sql,
    const std::vector<std::string>& values,
    bool binary = false
);

[[noreturn]] void give_up(const std::string& why);

}  // namespace veer::clients
