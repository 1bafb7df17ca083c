#include "router/cutover/precedence.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router::cutover {

namespace {

constexpr Voice voices[] = {Voice::silent, Voice::postgres, Voice::veer};
constexpr Cause causes[] = {
    Cause::none,
    Cause::panic,
    Cause::unreadable,
    Cause::off,
    Cause::tripped,
    Cause::lag,
    Cause::stepped_down};
constexpr bool both[] = {false, true};
constexpr std::optional<double> ceilings[] = {std::nullopt, 0.0, 30.0, 100.0};

template <class Look>
void every_share(Voices& said, const Look& look) {
    for (const auto& ceiling : ceilings) {
        for (const double share : {0.0, 25.0, 100.0}) {
            for (const double bucket : {0.0, 0.26, 0.999}) {
                said.rule_max_percent = ceiling;
                said.share = share;
                said.bucket = bucket;
                look(said);
            }
        }
    }
}

template <class Look>
void every_voice(Voices& said, const Look& look) {
    for (const Voice session : voices) {
        for (const Voice hint : voices) {
            said.session = session;
            said.hint = hint;
            every_share(said, look);
        }
    }
}

/// Calls `look` with every combination of what can be said.
template <class Look>
void every_combination(Look look) {
    Voices said;
    for (const Cause cause : causes) {
        said.cause = cause;
        for (unsigned bits = 0; bits < 32; ++bits) {
            said.eligible = (bits & 1U) != 0;
            said.quarantined = (bits & 2U) != 0;
            said.rule_postgres = (bits & 4U) != 0;
            said.rule_allows_veer = (bits & 8U) != 0;
            said.role_allows_veer = (bits & 16U) != 0;
            every_voice(said, look);
        }
    }
}

bool says_postgres(const Voices& said) {
    const bool cause = said.cause != Cause::none && said.cause != Cause::stepped_down;
    return cause || !said.eligible || said.quarantined || said.rule_postgres ||
           said.session == Voice::postgres || said.hint == Voice::postgres;
}

}  // namespace

TEST_CASE("no combination in which anything says postgres goes to the index", "[cutover]") {
    std::size_t seen = 0;
    bool held = true;
    every_combination([&](const Voices& said) {
        ++seen;
        held = held && (!says_postgres(said) || !weigh(said).veer);
    });
    CHECK(held);
    CHECK(seen == std::size_t{7} * 32 * 9 * 4 * 9);
}

TEST_CASE("silence is decided by the share, and a rule only lowers it", "[cutover]") {
    bool held = true;
    every_combination([&](Voices said) {
        if (says_postgres(said)) {
            return;
        }
        const bool asked = said.session == Voice::veer || said.hint == Voice::veer;
        const bool may = said.role_allows_veer || said.rule_allows_veer;
        const double share = std::min(said.share, said.rule_max_percent.value_or(100));
        const bool expected = (asked && may) || said.bucket * 100 < share;
        held = held && weigh(said).veer == expected;
    });
    CHECK(held);
}

TEST_CASE("one more voice for postgres never brings a search to the index", "[cutover]") {
    bool held = true;
    every_combination([&](Voices said) {
        const bool before = weigh(said).veer;
        for (const bool rule : both) {
            said.rule_postgres = said.rule_postgres || rule;
            said.hint = rule ? said.hint : Voice::postgres;
            held = held && (before || !weigh(said).veer || said.hint != Voice::postgres);
        }
    });
    CHECK(held);
}

}  // namespace veer::router::cutover
