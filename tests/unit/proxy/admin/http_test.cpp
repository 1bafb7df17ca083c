#include "proxy/admin/http_site.hpp"
#include "proxy/admin/json.hpp"
#include "proxy/admin/page.hpp"
#include "proxy/admin/prometheus.hpp"
#include "tests/unit/proxy/admin/sample_snapshot.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::proxy::admin;

namespace {

const HttpRules rules{.port = 7433, .token = "secret"};

HttpRequest get(std::string target) {
    return {
        .method = "GET",
        .target = std::move(target),
        .host = "127.0.0.1:7433",
        .origin = "",
        .authorization = "",
        .body = ""};
}

HttpRequest post(std::string target, std::string token) {
    HttpRequest request = get(std::move(target));
    request.method = "POST";
    request.authorization = std::move(token);
    return request;
}

/// What comes of a request, with the sample in place of a process; commands as 0.
HttpResponse answer(const HttpRequest& request) {
    const HttpPlan planned = plan(request, rules);
    if (const auto* wanted = std::get_if<SnapshotWanted>(&planned)) {
        return wanted->render(sample_snapshot());
    }
    const auto* const response = std::get_if<HttpResponse>(&planned);
    return response == nullptr ? HttpResponse{.status = 0, .content_type = "", .body = ""}
                               : *response;
}

}  // namespace

TEST_CASE("pages") {
    CHECK(answer(get("/healthz")).status == 200);
    CHECK(answer(get("/readyz")).status == 200);
    CHECK(answer(get("/")).body == page_html());
    CHECK(answer(get("/?x=1")).status == 200);
    CHECK(answer(get("/metrics")).body.find("veer_queries_total") != std::string::npos);
    CHECK(answer(get("/api/routes")).body.find(R"("desired_pct":25)") != std::string::npos);
    CHECK(answer(get("/api/lag")).status == 200);
    CHECK(answer(get("/api/nothing")).status == 404);
    CHECK(answer(get("/../etc/passwd")).status == 404);
    CHECK(answer(get("")).status == 404);
    HttpRequest put = get("/");
    put.method = "PUT";
    CHECK(answer(put).status == 405);
}

TEST_CASE("only this machine's names, so that no page can rebind its own to it") {
    HttpRequest request = get("/api/routes");
    for (const char* host : {"localhost:7433", "localhost", "[::1]:7433", "127.0.0.1"}) {
        request.host = host;
        CHECK(answer(request).status == 200);
    }
    for (const char* host : {"evil.example", "127.0.0.1.evil.example:7433", "", "127.0.0.1:80"}) {
        request.host = host;
        CHECK(answer(request).status == 421);
    }
}

TEST_CASE("what changes something needs the token, and comes from no other site") {
    CHECK(answer(post("/api/panic", "Bearer secret")).status == 0);
    CHECK(
        std::get<Command>(plan(post("/api/panic", "Bearer secret"), rules)).verb ==
        Command::Verb::panic
    );
    CHECK(
        std::get<Command>(plan(post("/api/resume", "Bearer secret"), rules)).verb ==
        Command::Verb::unpanic
    );
    CHECK(answer(post("/api/nothing", "Bearer secret")).status == 404);
    for (const char* token :
         {"", "Bearer ", "Bearer wrong", "secret", "Bearer secrets", "Basic secret"}) {
        CHECK(answer(post("/api/panic", token)).status == 401);
    }
    CHECK(answer(get("/api/panic")).status == 404);
    HttpRequest foreign = post("/api/panic", "Bearer secret");
    foreign.origin = "http://evil.example";
    CHECK(answer(foreign).status == 403);
    foreign.origin = "http://localhost:7433";
    CHECK(answer(foreign).status == 0);
    const HttpPlan without = plan(post("/api/panic", "Bearer "), {.port = 7433, .token = ""});
    CHECK(std::get<HttpResponse>(without).status == 401);
}

TEST_CASE("where users are listed, looking needs the token as well") {
    const HttpRules guarded{.port = 7433, .token = "secret", .token_for_reading = true};
    const auto status = [&guarded](const HttpRequest& request) {
        const HttpPlan planned = plan(request, guarded);
        const auto* const response = std::get_if<HttpResponse>(&planned);
        return response == nullptr ? 0 : response->status;
    };
    for (const char* path : {"/metrics", "/api/routes", "/api/clients", "/api/nothing"}) {
        CHECK(status(get(path)) == 401);
    }
    for (const char* path : {"/metrics", "/api/routes"}) {
        HttpRequest request = get(path);
        request.authorization = "Bearer secret";
        CHECK(status(request) == 0);
        request.authorization = "Bearer wrong";
        CHECK(status(request) == 401);
    }
    CHECK(status(get("/")) == 200);
    CHECK(status(get("/healthz")) == 200);
    CHECK(status(get("/readyz")) == 0);
}

TEST_CASE("readiness") {
    Snapshot snapshot = sample_snapshot();
    const HttpPlan planned = plan(get("/readyz"), rules);
    const auto& wanted = std::get<SnapshotWanted>(planned);
    snapshot.hosts = {{.host = "db1", .port = 5432, .role = "unreachable"}};
    CHECK(wanted.render(snapshot).status == 503);
    snapshot.hosts.push_back({.host = "db2", .port = 5432, .role = "primary"});
    CHECK(wanted.render(snapshot).status == 200);
    snapshot.process.draining = true;
    CHECK(wanted.render(snapshot).status == 503);
}

TEST_CASE("Prometheus' text format") {
    Snapshot snapshot = sample_snapshot();
    snapshot.routes[0].name = "a\"b\\c\nd";
    const std::string text = to_prometheus(snapshot);
    CHECK(text.find("# TYPE veer_queries_total counter\n") != std::string::npos);
    CHECK(
        text.find(R"(veer_queries_total{route="a\"b\\c\nd",engine="veer",reason="local"} 25)"
                  "\n") != std::string::npos
    );
    CHECK(
        text.find(
            R"(veer_route_traffic_ratio{route="public.notes.embedding <=>",kind="effective"} 0)"
            "\n"
        ) != std::string::npos
    );
    CHECK(text.find("veer_panic_active 0\n") != std::string::npos);
    CHECK(
        text.find(R"(veer_golden_queries{route="public.documents.embedding <=>",state="stale"} 10)"
        ) != std::string::npos
    );
    CHECK(
        text.find(R"(veer_golden_recall_ratio{route="public.images.embedding <=>"})") ==
        std::string::npos
    );
    CHECK(
        text.find(R"(veer_gate_verdict{route="public.documents.embedding <=>",gate="recall"} 1)"
                  "\n") != std::string::npos
    );
    CHECK(
        text.find(R"(veer_guard_state{route="public.documents.embedding <=>",guard="lag"} 2)"
                  "\n") != std::string::npos
    );
    CHECK(
        text.find(R"(veer_compare_total{route="public.documents.embedding <=>",result="soft"} 1)"
                  "\n") != std::string::npos
    );
    const std::string documents = R"({route="public.documents.embedding <=>")";
    const auto has = [](const std::string& where, const std::string& line) {
        return where.find(line + '\n') != std::string::npos;
    };
    const std::string all = to_prometheus(sample_snapshot());
    CHECK(has(all, "veer_gate_evidence" + documents + R"(,gate="recall"} 1e+09)"));
    CHECK(has(all, "veer_gate_samples_needed" + documents + R"(,gate="recall"} 0)"));
    CHECK_FALSE(has(all, "veer_gate_samples_needed" + documents + R"(,gate="slow_share"} 0)"));
    CHECK(has(all, "veer_compare_mismatches_total" + documents + R"(,class="hard"} 1)"));
    CHECK(has(all, "veer_compare_excluded_ratio" + documents + "} 0.15"));
    CHECK(has(all, "veer_shadow_shed_total" + documents + "} 0"));
    snapshot.routes[1].lag_ms = 40;
    CHECK(
        has(to_prometheus(snapshot),
            R"(veer_replication_lag_seconds{route="public.images.embedding <=>"} 0.04)")
    );
    CHECK(text.find("veer_replication_lag_bytes") == std::string::npos);
    snapshot.replication.lag_bytes = 5;
    CHECK(
        to_prometheus(snapshot).find("veer_replication_lag_bytes{slot=\"\"} 5\n") !=
        std::string::npos
    );
    // Every family is described once, before its samples.
    std::string_view rest = text;
    std::string family;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(line.size() + 1);
        if (line.starts_with("# TYPE ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
        } else if (!line.starts_with('#')) {
            CHECK(line.substr(0, line.find_first_of("{ ")) == family);
        }
    }
}

TEST_CASE("JSON") {
    CHECK(json_string("a\"\\\n\x01") == R"("a\"\\\u000a\u0001")");
    CHECK(
        json_rows(
            {{"a", Type::text}, {"b", Type::integer}},
            {{Value{}, std::int64_t{3}}, {std::string("x"), Value{}}}
        ) == R"([{"a":null,"b":3},{"a":"x","b":null}])"
    );
    CHECK(
        json_rows({{"t", Type::boolean}, {"n", Type::number}}, {{true, 0.5}}) ==
        R"([{"t":true,"n":0.5}])"
    );
    const Outcome refused = Failure{.sqlstate = "0A000", .message = "no"};
    CHECK(render(Command{}, refused).status == 409);
    CHECK(render(Command{}, refused).body.find(R"("ok":false,"reason":"no")") != std::string::npos);
}

TEST_CASE("the page needs nobody else") {
    for (const char* word : {"http://", "https://", "src=\"", "@import", "eval("}) {
        INFO(word);
        CHECK(page_html().find(word) == std::string_view::npos);
    }
}
