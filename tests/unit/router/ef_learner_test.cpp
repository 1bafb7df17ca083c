#include "router/ef_learner.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <random>

using namespace veer::router;

namespace {

/// Of ten, so many are found on average.
using Recall = std::function<double(std::uint32_t ef)>;

double drawn(double mean, std::mt19937_64& random) {
    std::bernoulli_distribution found{mean};
    double count = 0;
    for (int i = 0; i < 10; ++i) {
        count += found(random) ? 1 : 0;
    }
    return count / 10;
}

/// Counts how often the value changes.
std::size_t feed(EfLearner& learner, const Recall& recall, std::size_t answers, unsigned seed) {
    std::mt19937_64 random{seed};
    std::size_t changes = 0;
    for (std::size_t i = 0; i < answers; ++i) {
        const std::uint32_t before = learner.value();
        learner.note(drawn(recall(learner.asked()), random));
        changes += learner.value() != before ? 1U : 0U;
    }
    return changes;
}

double falls_off_below_20(std::uint32_t ef) {
    return ef >= 20 ? 0.999 : 0.9;
}

}  // namespace

TEST_CASE("It begins at pgvector's ef, and few answers say nothing", "[router]") {
    EfLearner learner{0.99};
    CHECK(learner.value() == 40);
    CHECK(
        feed(
            learner, [](auto) { return 1.0; }, EfLearner::enough - 1, 1
        ) == 0
    );
    CHECK(
        feed(
            learner, [](auto) { return 0.0; }, 1, 1
        ) == 0
    );
    CHECK(learner.asked() == 40);
}

TEST_CASE("It comes down to the smallest ef that keeps the recall, step by step", "[router]") {
    EfLearner learner{0.99};
    CHECK(feed(learner, falls_off_below_20, 3000, 2) == 2);
    CHECK(learner.value() == 20);
    EfLearner easy{0.99};
    feed(
        easy, [](auto) { return 1.0; }, 3000, 3
    );
    CHECK(easy.value() == 10);
}

TEST_CASE("It goes up until the recall is there, or there is no more", "[router]") {
    EfLearner learner{0.99};
    feed(
        learner, [](std::uint32_t ef) { return ef >= 160 ? 1.0 : 0.95; }, 3000, 4
    );
    CHECK(learner.value() == 160);
    EfLearner hopeless{0.99};
    feed(
        hopeless, [](auto) { return 0.5; }, 3000, 5
    );
    CHECK(hopeless.value() == 1000);
}

TEST_CASE("Once it has found it, it rests, and tries again seldom", "[router]") {
    EfLearner learner{0.99};
    feed(learner, falls_off_below_20, 3000, 6);
    std::mt19937_64 random{7};
    std::size_t lower = 0;
    for (std::size_t i = 0; i < 3 * EfLearner::patience; ++i) {
        lower += learner.asked() < 20 ? 1U : 0U;
        learner.note(drawn(falls_off_below_20(learner.asked()), random));
        REQUIRE(learner.value() == 20);
    }
    CHECK(lower > 0);
    CHECK(lower < 4 * EfLearner::enough);
}

TEST_CASE("At the target itself it does not swing", "[router]") {
    EfLearner learner{0.99};
    const std::size_t changes = feed(
        learner, [](std::uint32_t ef) { return ef >= 28 ? 0.99 : 0.97; }, 20'000, 8
    );
    CHECK(changes < 20);
}

TEST_CASE("When the rows change and the recall falls, it follows", "[router]") {
    EfLearner learner{0.99};
    feed(learner, falls_off_below_20, 3000, 9);
    feed(
        learner, [](std::uint32_t ef) { return ef >= 80 ? 1.0 : 0.9; }, 3000, 10
    );
    CHECK(learner.value() == 80);
}

TEST_CASE("A session's own ef stands, pgvector's default gives way", "[router]") {
    CHECK(effective_ef(40, false, 0) == 40);
    CHECK(effective_ef(40, false, 20) == 20);
    CHECK(effective_ef(40, false, 112) == 112);
    CHECK(effective_ef(100, true, 20) == 100);
    CHECK(effective_ef(100, false, 20) == 100);  // another extension's
    CHECK(effective_ef(40, true, 20) == 40);
}

TEST_CASE("It goes on from where another one has come to", "[router]") {
    EfLearner learner{0.99, 112};
    CHECK(learner.value() == 112);
    CHECK(EfLearner(0.99, 41).value() == 40);
    feed(learner, falls_off_below_20, 6000, 11);
    CHECK(learner.value() == 20);
}
