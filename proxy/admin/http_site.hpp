#pragma once

#include "proxy/admin/operations.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

namespace veer::proxy::admin {

/// What matters of an HTTP request.
struct HttpRequest {
    std::string method;
    std::string target;  ///< with its query
    std::string host;
    std::string origin;  ///< empty where a browser sends none
    std::string authorization;
    std::string body;
};

struct HttpResponse {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

/// What has to be known or done for an answer.
struct SnapshotWanted {
    HttpResponse (*render)(const Snapshot&) = nullptr;
};

using HttpPlan = std::variant<HttpResponse, SnapshotWanted, Command>;

struct HttpRules {
    std::uint16_t port = 0;          ///< that it listens on
    std::string token;               ///< for whatever changes something
    bool token_for_reading = false;  ///< and for whatever tells something
};

/// Decides what becomes of a request:
///
///     GET  /           the page, which knows nothing by itself
///     GET  /healthz    200 while the process lives
///     GET  /readyz     503 while draining, or where no server is there
///     GET  /metrics    for Prometheus
///     GET  /api/TABLE  a table of the console, as JSON
///     POST /api/panic, /api/resume, /api/reload
///
/// 1. Only names of this machine are taken as Host: a page of somebody else's that rebinds its name
///    to 127.0.0.1 gets nothing.
/// 2. What changes something needs `Authorization: Bearer TOKEN`, which no foreign page can send,
///    and no other Origin than this site's.
/// 3. Where the console asks for a password (users are listed), metrics and tables need the token.
HttpPlan plan(const HttpRequest& request, const HttpRules& rules);

/// What a command's outcome says, as JSON: ok, reason, next_steps, rows.
HttpResponse render(const Command& command, const Outcome& outcome);

}  // namespace veer::proxy::admin
