#pragma once

#include "proxy/admin/failure.hpp"
#include "proxy/admin/snapshot.hpp"
#include "proxy/admin/statement.hpp"

#include <functional>
#include <string>
#include <vector>

namespace veer::proxy::admin {

/// Who asks for a change, for the log and the audit.
struct Actor {
    std::string name;
    std::string via;   ///< "console", "cli", "http"
    std::string peer;  ///< "uid=1000", "127.0.0.1"
};

/// The rows that a command answers in, see columns_of(Command).
using Outcome = Result<std::vector<Row>>;

/// What the process can tell and do. The console, the page and the metrics know nothing else of it.
/// Thread-safe; what is asked for comes later, once, on any thread.
class Operations {
  public:
    Operations() = default;
    Operations(const Operations&) = delete;
    Operations& operator=(const Operations&) = delete;
    virtual ~Operations() = default;

    virtual void look(std::function<void(Snapshot)> done) = 0;
    virtual void carry_out(
        const Command& command, const Actor& actor, std::function<void(Outcome)> done
    ) = 0;
};

}  // namespace veer::proxy::admin
