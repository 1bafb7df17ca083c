#include "proxy/wire/writer.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

// What a session hands over to be compared, and that no client can tell.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;
using router::compare::Observation;

constexpr const char* nearest = "SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3 OFFSET 1";

class Recorder final : public router::compare::Sink {
  public:
    void offer(Observation observation) noexcept override {
        observations.push_back(std::move(observation));
    }

    std::vector<Observation> observations;
};

struct Sampled {
    explicit Sampled(double percent, double rate = 1) : f(percent) {
        f.config.compare.rate = rate;
        f.router.configure(f.config);
        f.router.set_comparison(&recorder);
        f.router.routes();
        if (percent == 0) {  // from shadow on searches are compared
            f.router.control().apply(
                {.verb = router::cutover::Verb::shadow, .route = "public.docs.e <->"},
                std::nullopt,
                {},
                {},
                [](const router::cutover::Reply& reply) { REQUIRE(reply.done); }
            );
        }
    }

    Recorder recorder;
    F f;
};

std::string reported(std::string_view name, std::string_view value) {
    std::string status;
    wire::MessageWriter(status, 'S').text(name).text(value);
    return status;
}

}  // namespace

TEST_CASE("a search that Postgres answered is handed over once it is answered", "[proxy]") {
    Sampled s(0);
    const std::string question = F::query(nearest);
    CHECK(s.f.client(question) == question);
    CHECK(s.recorder.observations.empty());
    s.f.now.nanoseconds += 3'000'000;
    const std::string answer = F::command_complete("SELECT 3") + F::ready();
    CHECK(s.f.server(answer) == answer);
    REQUIRE(s.recorder.observations.size() == 1);
    const Observation& seen = s.recorder.observations.front();
    CHECK(seen.route == "public.docs.e <->");
    CHECK(seen.vector == std::vector<float>{7, 0});
    CHECK(seen.k == 4);
    CHECK_FALSE(seen.served_by_veer);
    CHECK_FALSE(seen.veer);
    CHECK_FALSE(seen.ef_search);
    CHECK(seen.served_ms == 3.0);
    CHECK(seen.shape.find("[7,0]") == std::string::npos);
    CHECK(seen.column->table.name == "docs");
}

TEST_CASE("where searches are only observed none is compared", "[proxy]") {
    Sampled s(0);
    s.f.router.control().apply(
        {.verb = router::cutover::Verb::observe, .route = "public.docs.e <->"},
        std::nullopt,
        {},
        {},
        [](const router::cutover::Reply& reply) { REQUIRE(reply.done); }
    );
    s.f.client(F::query(nearest));
    s.f.server(F::command_complete("SELECT 3") + F::ready());
    CHECK(s.recorder.observations.empty());
}

TEST_CASE("a search that veer answered is handed over with its rows", "[proxy]") {
    Sampled s(100);
    s.f.client(F::query(nearest));
    s.f.answer_facts({{10, "77"}});
    REQUIRE(s.recorder.observations.size() == 1);
    const Observation& seen = s.recorder.observations.front();
    CHECK(seen.served_by_veer);
    REQUIRE(seen.veer);
    CHECK(seen.veer->size() == 4);
    CHECK(seen.veer->front().distance == 0);
    CHECK(seen.ef_search == 77);
    CHECK(seen.search_ms.has_value());
    CHECK(seen.applied == storage::Lsn{100});
}

TEST_CASE("the same searches are sampled, whoever asks and answers", "[proxy]") {
    Sampled shadow(0);
    Sampled full(100);
    shadow.f.client(F::query(nearest));
    shadow.f.server(F::command_complete("SELECT 3") + F::ready());
    full.f.client(F::query(nearest));
    full.f.answer_facts();
    REQUIRE(shadow.recorder.observations.size() == 1);
    REQUIRE(full.recorder.observations.size() == 1);
    const double place = shadow.recorder.observations.front().place;
    CHECK(place == full.recorder.observations.front().place);
    for (const double rate : {place, place * 1.0001}) {
        Sampled s(0, rate);
        s.f.client(F::query(nearest));
        s.f.server(F::command_complete("SELECT 3") + F::ready());
        CHECK(s.recorder.observations.size() == (rate > place ? 1 : 0));
    }
}

TEST_CASE("a rule says how many of its searches are compared", "[proxy]") {
    Sampled s(0, 0);
    config::Rule all;
    all.id = 10;
    all.application = "search-canary";
    all.filtered = false;
    all.sample = 1;
    s.f.config.rules = {all};
    s.f.router.configure(s.f.config);
    const auto answered = [&s] {
        s.f.client(F::query(nearest));
        s.f.server(F::command_complete("SELECT 3") + F::ready());
        return s.recorder.observations.size();
    };
    CHECK(answered() == 0);
    s.f.server(reported("application_name", "search-canary"));
    CHECK(answered() == 1);
    s.f.server(reported("application_name", "web"));
    CHECK(answered() == 1);
}

TEST_CASE("what failed, or is no search, or off, is not handed over", "[proxy]") {
    Sampled failed(0);
    failed.f.client(F::query(nearest));
    failed.f.server(F::error("57014") + F::ready());
    failed.f.client(F::query("SELECT 1"));
    failed.f.server(F::command_complete("SELECT 1") + F::ready());
    CHECK(failed.recorder.observations.empty());
    Sampled off(0, 0);
    off.f.client(F::query(nearest));
    off.f.server(F::command_complete("SELECT 3") + F::ready());
    CHECK(off.recorder.observations.empty());
}

TEST_CASE("a condition that the copy cannot tell of leaves a search out", "[proxy]") {
    Sampled s(0);
    for (const std::string where : {"id > 3", "e IS NOT NULL", "id > 3 AND lower('a') = 'a'"}) {
        s.f.client(
            F::query("SELECT id FROM docs WHERE " + where + " ORDER BY e <-> '[7,0]' LIMIT 3")
        );
        s.f.server(F::command_complete("SELECT 3") + F::ready());
    }
    CHECK(s.recorder.observations.empty());
}

TEST_CASE("comparisons are shown in any session, in both protocols", "[proxy]") {
    Sampled s(0);
    for (const std::string name :
         {"compare", "mismatches", "report", "report_json", "report_html"}) {
        INFO(name);
        CHECK(s.f.client(F::query("SHOW veer." + name)).empty());
        const std::string types = F::types(s.f.to_client());
        CHECK(types.front() == 'T');
        CHECK(types.substr(types.size() - 2) == "CZ");
    }
    CHECK_FALSE(s.f.client(F::query("SHOW veer.nothing")).empty());
}

}  // namespace veer::proxy::session
