#include "router/candidate.hpp"
#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <utility>

// A route whose searches another server answers: it may be busy, late, wrong or gone, and the
// client gets an answer all the same.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

constexpr const char* nearest = "SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3";
constexpr std::size_t freshness_fact = 23;

/// Says what a test wants of it.
class Scripted final : public router::Candidate {
  public:
    std::size_t identity() const override { return 1; }

    std::chrono::milliseconds lag_max() const override { return std::chrono::minutes(1); }

    std::shared_ptr<void> admit() override {
        return busy ? nullptr : std::make_shared<int>(++admitted);
    }

    router::Found search(const router::SearchOrder& order) override {
        asked = order.rows;
        if (gone) {
            return index::make_error_code(index::Errc::cancelled);
        }
        // Row 20 is the farthest there is: the index would not say it.
        router::SearchOrder farthest = order;
        farthest.candidate = nullptr;
        farthest.vector = std::vector<float>{20, 0};
        router::Found found = farthest.run();
        for (index::Hit& hit : *found) {
            hit.distance = all_tie ? 1 : hit.distance;
        }
        return found;
    }

    bool busy = false;
    bool gone = false;
    bool all_tie = false;
    int admitted = 0;
    std::size_t asked = 0;
};

struct Elsewhere {
    explicit Elsewhere(config::Freshness::Kind kind = config::Freshness::Kind::eventual) {
        config::Route route;
        route.column = {"public", "docs", "e"};
        route.operator_name = "<->";
        route.percent = 100;
        route.engine = "host=next";
        route.freshness.kind = kind;
        route.tie_breakers = true;
        f.config.routes = {route};
        f.router.set_candidates([this](const config::Route& made_for, const auto&) {
            CHECK(made_for.engine == "host=next");
            return candidate;
        });
        f.router.configure(f.config);
    }

    /// What went to the client, and what to the server, of one search.
    std::pair<std::string, std::string> search(const std::string& freshness = "") {
        f.client(F::query(nearest));
        std::string to_client = f.answer_facts({{freshness_fact, freshness}});
        return {std::move(to_client), f.to_server()};
    }

    std::string reason() {
        f.client(F::query("SHOW veer.last"));
        return f.to_client();
    }

    std::shared_ptr<Scripted> candidate = std::make_shared<Scripted>();
    F f;
};

}  // namespace

TEST_CASE("another server's rows are the answer", "[proxy]") {
    Elsewhere e;
    const auto [to_client, to_server] = e.search();
    CHECK(F::types(to_client) == "TDDDCZ");
    CHECK(to_client.find(F::data_row({"20"})) != std::string::npos);
    CHECK(to_server.empty());
    CHECK(e.candidate->admitted == 1);
    CHECK(e.candidate->asked == 3);
    CHECK(e.candidate.use_count() > 1);
}

TEST_CASE("where the other server is busy or gone, Postgres answers", "[proxy]") {
    for (const bool busy : {true, false}) {
        Elsewhere e;
        e.candidate->busy = busy;
        e.candidate->gone = !busy;
        const auto [to_client, to_server] = e.search();
        CHECK(to_client.empty());
        CHECK(to_server == F::query(nearest));
        e.f.server(F::command_complete("SELECT 3") + F::ready());
        CHECK(e.reason().find("engine") != std::string::npos);
    }
}

TEST_CASE("an answer that comes too late is nobody's: Postgres has answered", "[proxy]") {
    Elsewhere e;
    e.f.holds_searches = true;
    const auto [to_client, to_server] = e.search();
    CHECK((to_client + to_server).empty());
    REQUIRE(e.f.held);
    const std::chrono::nanoseconds most = router::Candidate::answer_time_max;
    REQUIRE(e.f.held->deadline);
    CHECK(e.f.held->deadline->nanoseconds == e.f.now.nanoseconds + most.count());
    const auto tell = [&e](const router::Found& found) {
        e.f.session.on_found(e.f.held->number, found, e.f.now, e.f.out);
    };
    e.f.now = *e.f.held->deadline;
    tell(index::make_error_code(index::Errc::cancelled));
    CHECK(e.f.to_server() == F::query(nearest));
    tell(e.f.held->order.run());
    CHECK((e.f.to_client() + e.f.to_server()).empty());
    e.f.server(F::command_complete("SELECT 3") + F::ready());
    e.f.held.reset();
    e.f.holds_searches = false;
    CHECK(e.reason().find("engine") != std::string::npos);
    CHECK(F::types(e.search().first) == "TDDDCZ");  // the next one is asked again
}

TEST_CASE("each look at the other server has a place of its own", "[proxy]") {
    for (const bool busy : {false, true}) {
        Elsewhere e;
        e.candidate->all_tie = true;
        e.f.holds_searches = true;
        e.f.client(F::query("SELECT id FROM docs ORDER BY e <-> '[7,0]', id LIMIT 3"));
        e.f.answer_facts();
        REQUIRE(e.f.held);
        const PendingSearch first = *std::exchange(e.f.held, std::nullopt);
        CHECK(first.order.place != nullptr);
        e.candidate->busy = busy;
        e.f.session.on_found(first.number, first.order.run(), e.f.now, e.f.out);
        e.f.search();
        CHECK(e.f.held.has_value() != busy);
        CHECK(e.candidate->admitted == (busy ? 1 : 2));
        if (e.f.held) {
            CHECK(e.f.held->order.rows > first.order.rows);
            CHECK(e.f.held->order.place != nullptr);
        } else {
            CHECK_FALSE(e.f.to_server().empty());  // the client's own statement
        }
    }
}

TEST_CASE("an index of veer's own has no deadline", "[proxy]") {
    F f;
    f.holds_searches = true;
    f.client(F::query(nearest));
    f.answer_facts();
    REQUIRE(f.held);
    CHECK_FALSE(f.held->deadline);
}

TEST_CASE("a search that is not content with any copy goes to Postgres", "[proxy]") {
    Elsewhere e;
    const auto [to_client, to_server] = e.search("causal");
    CHECK(to_client.empty());
    CHECK(to_server == F::query(nearest));
    CHECK(e.candidate->admitted == 0);
    Elsewhere causal(config::Freshness::Kind::causal);  // which no file may say
    CHECK(causal.search().second == F::query(nearest));
    CHECK(causal.candidate->admitted == 0);
}

}  // namespace veer::proxy::session
