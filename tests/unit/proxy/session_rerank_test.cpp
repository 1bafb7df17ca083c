#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <utility>

// A search among the rows that signs have chosen: of more keys than these, signs would choose.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

/// The second page of two rows, of four that are chosen.
std::string second_page(const std::string& condition) {
    return F::query(
        "SELECT id FROM (SELECT * FROM docs" + condition +
        " ORDER BY binary_quantize(e)::bit(2) <~> binary_quantize('[7,0]'::vector) LIMIT 4) s"
        " ORDER BY e <-> '[7,0]' LIMIT 2 OFFSET 2"
    );
}

/// How many keys are asked for; a search must be.
std::uint64_t asked(F& f) {
    REQUIRE(f.held);
    return f.held->order.rows;
}

void find(F& f) {
    const PendingSearch held = *std::exchange(f.held, std::nullopt);
    f.session.on_found(held.number, held.order.run(), f.now, f.out);
    f.search();
}

}  // namespace

TEST_CASE("No more keys are asked for than signs choose", "[proxy]") {
    F f;
    f.holds_searches = true;
    f.client(second_page(""));
    f.answer_facts();
    CHECK(asked(f) == 4);
}

TEST_CASE("Where a condition drops some of them, more are", "[proxy]") {
    F f;
    f.holds_searches = true;
    f.client(second_page(" WHERE id > 0 OR e IS NULL"));
    f.answer_facts();
    CHECK(asked(f) == 4);
    find(f);
    CHECK(F::types(f.to_server()) == "Q");
    CHECK(f.server(F::data_row({"7"}) + F::command_complete("SELECT 1") + F::ready()).empty());
    CHECK(asked(f) > 4);
}

}  // namespace veer::proxy::session
