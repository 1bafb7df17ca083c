#include "index/source_census.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace veer;
using namespace veer::index;
using storage::ForeignVector;
using storage::NullVector;
using storage::UnchangedVector;
using storage::Vector;

namespace {

const Vector one{std::vector<float>{1}};
const Vector two{std::vector<float>{2}};

ChosenVector chosen(storage::VectorValue column, storage::VectorValue legacy) {
    static storage::Row row;
    row = {"key", {std::move(column), std::move(legacy)}};
    return chosen_vector(row, 0, 1);
}

constexpr ChosenVector unparsable{.unparsable = true};
constexpr ChosenVector unparsable_legacy{.unparsable = true, .legacy = true};
constexpr ChosenVector of_legacy{.legacy = true};

}  // namespace

TEST_CASE("The legacy column counts where the other is NULL", "[index]") {
    CHECK(*chosen(one, two).vector == one);
    CHECK_FALSE(chosen(one, two).legacy);
    const ChosenVector legacy = chosen(NullVector{}, ForeignVector{two, "digest"});
    CHECK(*legacy.vector == two);
    CHECK(legacy.legacy);
    CHECK(chosen(NullVector{}, NullVector{}).vector == nullptr);
    CHECK_FALSE(chosen(NullVector{}, NullVector{}).unparsable);
}

TEST_CASE("What does not parse counts only where it is needed", "[index]") {
    const ForeignVector bad{std::nullopt, "digest"};
    CHECK_FALSE(chosen(one, bad).unparsable);
    CHECK(chosen(NullVector{}, bad).unparsable);
    CHECK(chosen(NullVector{}, bad).legacy);
    CHECK(chosen(bad, two).unparsable);  // coalesce() would not come to the other
    CHECK(chosen(UnchangedVector{}, bad).unchanged);
    CHECK_FALSE(chosen(UnchangedVector{}, bad).unparsable);
}

TEST_CASE("Rows that do not parse are counted while they are there", "[index]") {
    SourceCensus census;
    CHECK(census.all_parse());
    census.put("a", unparsable);
    census.put("a", unparsable);
    census.put("b", unparsable_legacy);
    CHECK(census.counts().unparsable == 2);
    CHECK(census.counts().unparsable_legacy == 1);
    CHECK_FALSE(census.all_parse());
    census.put("a", ChosenVector{.vector = &one});
    census.erase("b");
    CHECK_FALSE(census.all_parse());  // searches still see what was published before
    census.publish();
    CHECK(census.all_parse());
    CHECK(census.counts().unparsable_legacy == 0);
    census.put("c", unparsable);
    census.clear();
    CHECK_FALSE(census.all_parse());
    census.publish();
    CHECK(census.all_parse());
}

TEST_CASE("A row that came and went during a search is told by the arrivals", "[index]") {
    SourceCensus census;
    const std::uint64_t before = census.arrivals();
    census.put("a", ChosenVector{.vector = &one});
    CHECK(census.arrivals() == before);
    census.put("a", unparsable);
    census.put("a", ChosenVector{.vector = &one});
    census.publish();
    CHECK(census.all_parse());
    CHECK(census.arrivals() > before);
}

TEST_CASE("Past its bound a census stays in doubt", "[index]") {
    SourceCensus census;
    for (std::size_t row = 0; row < SourceCensus::unparsable_max; ++row) {
        census.put(std::to_string(row), unparsable);
    }
    census.put("one more", unparsable);
    for (std::size_t row = 0; row < SourceCensus::unparsable_max; ++row) {
        census.erase(std::to_string(row));
    }
    census.erase("one more");
    CHECK_FALSE(census.all_parse());
    census.clear();
    census.publish();
    CHECK(census.all_parse());
}

TEST_CASE("Migration is the share of rows with the new vector among those with either", "[index]") {
    SourceCensus census;
    CHECK(migrated_percent(census.counts(), 0) == 100);
    census.put("a", of_legacy);
    census.put("b", of_legacy);
    census.put("c", unparsable_legacy);
    CHECK(migrated_percent(census.counts(), 3) == 25);  // a, b and another; c is beside them
    census.put("a", ChosenVector{.vector = &one});
    census.put("c", ChosenVector{.vector = &one});
    CHECK(migrated_percent(census.counts(), 4) == 75);
    census.erase("b");
    CHECK(migrated_percent(census.counts(), 3) == 100);
}
