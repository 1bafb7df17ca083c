#pragma once

#include "tests/clients/libpq/dialogue.hpp"

#include <string>
#include <vector>

namespace veer::clients {

/// One call of libpq in pipeline mode.
struct Request {
    enum class Kind : unsigned char { query, prepare, execute, describe, sync, flush };

    Kind kind = Kind::query;
    std::string name;  ///< of the statement, for prepare, execute and describe
    std::string sql;
    std::vector<std::string> values;
    bool binary = false;
};

Request sync();

/// Sends all of the requests, then reads, and returns every result and notice. The last request
/// must be a sync.
Json play_pipeline(PGconn* session, const std::vector<Request>& requests);

/// Pipelines whose answers are known to go wrong in proxies, and some made up at random.
void play_pipelines(
    const Dialogue& dialogue, const std::vector<std::string>& probes, unsigned seed
);

}  // namespace veer::clients
