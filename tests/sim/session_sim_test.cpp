#include "tests/sim/played.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <string>

// Random conversations through a session, whose client must not be able to tell veer from the
// server, however bytes are cut and events are ordered. VEER_SIM_SEED plays one seed only,
// VEER_SIM_SEEDS as many.

namespace veer::sim {

namespace {

unsigned number_of(const char* variable, unsigned otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : static_cast<unsigned>(std::stoul(text));
}

/// What the tests below counted: a simulation in which veer answered nothing would prove nothing.
struct Tally {
    std::size_t facts_asked = 0;
    std::size_t local = 0;
    std::size_t rewritten = 0;
};

Tally play_all(Pace pace) {
    const unsigned one = number_of("VEER_SIM_SEED", 0);
    const unsigned first = one == 0 ? 1 : one;
    const unsigned count = one == 0 ? number_of("VEER_SIM_SEEDS", 600) : 1;
    Tally tally;
    for (unsigned seed = first; seed < first + count; ++seed) {
        const auto conversation = random_conversation(seed);
        const Played played = play(conversation, pace, seed);
        if (!played.problem.empty()) {
            std::string problem = played.problem;
            const auto shortest = shrink(conversation, pace, seed, problem);
            FAIL(
                "seed " << seed << ": " << played.problem << "\nshortest found:\n"
                        << transcript(shortest) << problem
            );
        }
        tally.facts_asked += played.facts_asked;
        tally.local += played.local;
        tally.rewritten += played.rewritten;
    }
    return tally;
}

void check_not_vacuous(const Tally& tally) {
    if (std::getenv("VEER_SIM_SEED") == nullptr) {
        CHECK(tally.facts_asked > 300);
        CHECK(tally.local > 300);
        CHECK(tally.rewritten > 100);
    }
}

}  // namespace

TEST_CASE("a client cannot tell veer from the server when messages come whole", "[sim]") {
    check_not_vacuous(play_all(Pace::at_once));
}

TEST_CASE("a client cannot tell veer from the server when bytes come one at a time", "[sim]") {
    check_not_vacuous(play_all(Pace::bytewise));
}

TEST_CASE("a client cannot tell veer from the server whatever happens in between", "[sim]") {
    check_not_vacuous(play_all(Pace::any));
}

}  // namespace veer::sim
