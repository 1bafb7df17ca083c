#include "proxy/compare/golden_keeper.hpp"

#include "tests/unit/proxy/sample_copy.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

// What a route learns, from one process to the next; over the sample's rows, of which the least ef
// finds all that is asked for.

namespace veer::proxy::compare {

namespace {

constexpr std::chrono::minutes too_long{2};
constexpr std::uint32_t least = 10;

/// One process, as far as a keeper sees it.
struct Process {
    explicit Process(
        index::Replica& copy, std::vector<router::LearnedEf> learned = {}, double target = 0.99
    )
        : replica(copy),
          keeper(
              {.replica = copy,
               .inbox = inbox,
               .served = [this, target] { return served(target); },
               .searches = [] { return std::uint64_t{0}; },
               .measured = [this](const auto&, const auto&) { ++rounds; },
               .learned = std::move(learned),
               .keep_learned = [this](const auto& all) { keep(all); },
               .period = std::chrono::milliseconds(1),
               .measure_every = std::chrono::milliseconds(1)}
          ) {
        config::Config config;
        config.compare = {.rate = 1, .load_max = 1, .judge_cores = 8, .golden = 20};
        keeper.configure(config);
    }

    std::vector<GoldenKeeper::Served> served(double target) {
        const auto generation = replica.generation();
        return {
            {.route = "docs",
             .column = {generation, &generation->columns.front()},
             .recall_target = target,
             .traffic = traffic}};
    }

    void keep(const std::vector<router::LearnedEf>& all) {
        if (!told && all.front().ef == least) {
            told = true;
            kept.set_value(all);
        }
    }

    void await_rounds(int count) const {
        const auto until = std::chrono::steady_clock::now() + too_long;
        for (const int before = rounds; rounds < before + count; std::this_thread::yield()) {
            REQUIRE(std::chrono::steady_clock::now() < until);
        }
    }

    index::Replica& replica;
    router::compare::GoldenInbox inbox;
    std::shared_ptr<router::cutover::Traffic> traffic =
        std::make_shared<router::cutover::Traffic>();
    std::promise<std::vector<router::LearnedEf>> kept;
    bool told = false;  // the keeper's thread alone
    std::atomic<int> rounds = 0;
    GoldenKeeper keeper;
};

std::vector<router::LearnedEf> learn(index::Replica& replica) {
    Process process(replica);
    process.await_rounds(1);
    CHECK(process.traffic->learned_ef == 0);
    for (int i = 1; i <= 20; ++i) {
        process.keeper.offer("docs", {.vector = {static_cast<float>(i), 0}, .k = 3, .ef = 40});
    }
    auto kept = process.kept.get_future();
    REQUIRE(kept.wait_for(too_long) == std::future_status::ready);
    process.keeper.stop();
    CHECK(process.traffic->learned_ef == least);
    return kept.get();
}

}  // namespace

TEST_CASE("A route goes on from what it has learnt before a restart", "[proxy]") {
    index::Replica replica{1U};
    session::load_sample(replica);
    const std::vector<router::LearnedEf> learned = learn(replica);
    REQUIRE(learned.size() == 1);
    CHECK(learned.front().route == "docs");
    CHECK(learned.front().rows == 20);
    const auto begins_with = [&](std::vector<router::LearnedEf> known, double target = 0.99) {
        const Process process(replica, std::move(known), target);
        process.await_rounds(2);  // and nobody has searched
        return process.traffic->learned_ef.load();
    };
    CHECK(begins_with(learned) == least);
    CHECK(begins_with({}) == 0);
    CHECK(begins_with(learned, 0.95) == 0);
    std::vector<router::LearnedEf> other = learned;
    other.front().index += ' ';
    CHECK(begins_with(other) == 0);
    other = learned;
    other.front().rows = 1000;
    CHECK(begins_with(other) == 0);
}

}  // namespace veer::proxy::compare
