#include "proxy/admin/http_site.hpp"

#include "proxy/admin/json.hpp"
#include "proxy/admin/page.hpp"
#include "proxy/admin/prometheus.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace veer::proxy::admin {

namespace {

constexpr const char* json_type = "application/json";

HttpResponse failure(int status, std::string_view reason) {
    return {
        .status = status,
        .content_type = json_type,
        .body = R"({"ok":false,"reason":)" + json_string(reason) +
                R"(,"next_steps":[],"rows":[]})" + '\n'};
}

/// "localhost:7433" and its like; empty where another machine's name stands there.
bool is_own_name(std::string_view host, std::uint16_t port) {
    const std::string with_port = ':' + std::to_string(port);
    if (host.ends_with(with_port)) {
        host.remove_suffix(with_port.size());
    }
    return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

bool is_own_origin(std::string_view origin, std::uint16_t port) {
    constexpr std::string_view scheme = "http://";
    return origin.empty() ||
           (origin.starts_with(scheme) && is_own_name(origin.substr(scheme.size()), port));
}

/// In a time that does not depend on where they differ.
bool same_secret(std::string_view given, std::string_view wanted) {
    unsigned difference = given.size() == wanted.size() ? 0 : 1;
    for (std::size_t i = 0; i < given.size() && i < wanted.size(); ++i) {
        difference |= static_cast<unsigned>(static_cast<unsigned char>(given[i] ^ wanted[i]));
    }
    return difference == 0 && !wanted.empty();
}

HttpResponse ready(const Snapshot& snapshot) {
    const bool reachable =
        snapshot.hosts.empty() ||
        std::any_of(snapshot.hosts.begin(), snapshot.hosts.end(), [](const HostFacts& host) {
            return host.role != "unreachable";
        });
    if (snapshot.process.draining) {
        return {.status = 503, .body = "draining\n"};
    }
    return reachable ? HttpResponse{.body = "ready\n"}
                     : HttpResponse{.status = 503, .body = "no upstream server is reachable\n"};
}

HttpResponse metrics(const Snapshot& snapshot) {
    return {
        .content_type = "text/plain; version=0.0.4; charset=utf-8",
        .body = to_prometheus(snapshot)};
}

/// A table of the console. The relation's number is part of the type, so that this stays a plain
/// function.
template <std::size_t index>
HttpResponse table(const Snapshot& snapshot) {
    const Relation& relation = relations()[index];
    return {
        .content_type = json_type,
        .body = R"({"ok":true,"reason":"","next_steps":[],"rows":)" +
                json_rows(relation.columns, relation.rows(snapshot)) + "}\n"};
}

template <std::size_t... indexes>
constexpr auto tables(std::index_sequence<indexes...> /*numbers*/) {
    return std::array{&table<indexes>...};
}

constexpr std::size_t tables_max = 32;

/// Nothing where the request brings the token.
std::optional<HttpResponse> without_token(const HttpRequest& request, const HttpRules& rules) {
    constexpr std::string_view bearer = "Bearer ";
    const std::string_view given = request.authorization;
    if (given.starts_with(bearer) && same_secret(given.substr(bearer.size()), rules.token)) {
        return std::nullopt;
    }
    return failure(401, "the token is missing or wrong: it is in http_token of veer's directory");
}

HttpPlan plan_get(std::string_view path, const HttpRequest& request, const HttpRules& rules) {
    constexpr std::string_view api = "/api/";
    constexpr std::string_view metrics_path = "/metrics";
    static constexpr auto renderers = tables(std::make_index_sequence<tables_max>());
    if (path == "/") {
        return HttpResponse{
            .content_type = "text/html; charset=utf-8", .body = std::string(page_html())};
    }
    if (path == "/healthz") {
        return HttpResponse{.body = "ok\n"};
    }
    if (path == "/readyz") {
        return SnapshotWanted{.render = &ready};
    }
    if (rules.token_for_reading && (path == metrics_path || path.starts_with(api))) {
        if (auto refused = without_token(request, rules)) {
            return *std::move(refused);
        }
    }
    if (path == metrics_path) {
        return SnapshotWanted{.render = &metrics};
    }
    if (path.starts_with(api)) {
        if (const Relation* const relation = find_relation(path.substr(api.size()))) {
            const auto index = static_cast<std::size_t>(relation - relations().data());
            return SnapshotWanted{.render = renderers.at(index)};
        }
    }
    return failure(404, "there is no such page");
}

HttpPlan plan_post(std::string_view path, const HttpRequest& request, const HttpRules& rules) {
    static constexpr std::pair<std::string_view, Command::Verb> commands[] = {
        {"/api/panic", Command::Verb::panic},
        {"/api/resume", Command::Verb::unpanic},
        {"/api/reload", Command::Verb::reload}};
    if (!is_own_origin(request.origin, rules.port)) {
        return failure(403, "a request from another site");
    }
    if (auto refused = without_token(request, rules)) {
        return *std::move(refused);
    }
    for (const auto& [name, verb] : commands) {
        if (path == name) {
            return Command{.verb = verb};
        }
    }
    return failure(404, "there is no such command");
}

}  // namespace

HttpPlan plan(const HttpRequest& request, const HttpRules& rules) {
    const std::string_view path =
        std::string_view(request.target).substr(0, request.target.find('?'));
    if (!is_own_name(request.host, rules.port)) {
        return failure(421, "this site is for its own machine");
    }
    if (request.method == "GET" || request.method == "HEAD") {
        return plan_get(path, request, rules);
    }
    return request.method == "POST" ? plan_post(path, request, rules)
                                    : HttpPlan(failure(405, "only GET and POST"));
}

HttpResponse render(const Command& command, const Outcome& outcome) {
    if (outcome.has_error()) {
        return failure(409, outcome.error().message);
    }
    return {
        .content_type = json_type,
        .body = R"({"ok":true,"reason":"","next_steps":[],"rows":)" +
                json_rows(columns_of(command), *outcome) + "}\n"};
}

}  // namespace veer::proxy::admin
