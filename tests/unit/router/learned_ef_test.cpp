#include "router/learned_ef.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace veer::router;

namespace {

const LearnedEf documents{"documents", "index", 0.99, 20, 1000};

std::optional<std::uint32_t> known_with(LearnedEf route) {
    route.ef = 0;
    return known_ef({{"others", "index", 0.99, 56, 1000}, documents}, route);
}

}  // namespace

TEST_CASE("What was learnt holds for its route, its index, its target and about its rows") {
    CHECK(known_with(documents) == 20);
    CHECK(known_with({"documents", "index", 0.99, 0, 2001}) == 20);
    CHECK(known_with({"documents", "index", 0.99, 0, 500}) == 20);
    CHECK_FALSE(known_with({"documents", "index", 0.99, 0, 2002}));
    CHECK_FALSE(known_with({"documents", "index", 0.99, 0, 499}));
    CHECK_FALSE(known_with({"documents", "index", 0.95, 0, 1000}));
    CHECK_FALSE(known_with({"documents", "another", 0.99, 0, 1000}));
    CHECK_FALSE(known_with({"document", "index", 0.99, 0, 1000}));
}

TEST_CASE("One thing is remembered of a route, and anew when it or the rows are others") {
    std::vector<LearnedEf> all{documents};
    CHECK_FALSE(remember(all, documents));
    CHECK_FALSE(remember(all, {"documents", "index", 0.99, 20, 1300}));
    CHECK(all == std::vector{documents});
    for (const LearnedEf& now : {
             LearnedEf{"documents", "index", 0.99, 20, 1400},
             LearnedEf{"documents", "index", 0.99, 28, 1400},
             LearnedEf{"documents", "index", 0.95, 28, 1400},
             LearnedEf{"documents", "another", 0.95, 28, 1400},
         }) {
        CHECK(remember(all, now));
        CHECK(all == std::vector{now});
    }
    for (std::size_t i = 0; i < learned_max; ++i) {
        CHECK(remember(all, {std::to_string(i), "index", 0.99, 20, 1000}));
    }
    CHECK(all.size() == learned_max);
    CHECK(all.front().route == "0");
}

TEST_CASE("What was learnt is read as it was written", "[router]") {
    const std::vector<LearnedEf> learned{
        {"documents", std::string("\0\xff\n 7", 5), 0.99, 20, 0},
        {"end, with spaces", "", 0.1 + 0.2, 1000, ~std::uint64_t{0}}};
    CHECK(learned_efs(to_text(learned)) == learned);
    CHECK(learned_efs(to_text({})).empty());
    CHECK(learned_efs(to_text({{"a\nb", "", 0.99, 20, 5}, documents})) == std::vector{documents});
}

TEST_CASE("A file that is not wholly as it was written says nothing", "[router]") {
    const std::string text = to_text({documents, {"b", "e", 0.9, 40, 7}});
    REQUIRE(learned_efs(text).size() == 2);
    CHECK(learned_efs(text + "20").empty());
    CHECK(learned_efs(text + text).empty());
    CHECK(learned_efs(text + "\n").empty());
    for (std::size_t size = 0; size < text.size(); ++size) {
        CHECK(learned_efs(text.substr(0, size)).empty());
        for (const char flipped : {'\x01', '\x10'}) {
            std::string damaged = text;
            damaged[size] = static_cast<char>(damaged[size] ^ flipped);
            CHECK(learned_efs(damaged).empty());
        }
    }
}

TEST_CASE("A file of more routes or bytes than veer writes says nothing", "[router]") {
    std::vector<LearnedEf> all;
    for (std::size_t i = 0; i < learned_max; ++i) {
        all.push_back({std::to_string(i), "index", 0.99, 20, 1000});
    }
    CHECK(learned_efs(to_text(all)).size() == learned_max);
    all.push_back(documents);
    CHECK(learned_efs(to_text(all)).empty());
    CHECK(learned_efs(to_text({{std::string(learned_text_max, 'a'), "", 0.99, 20, 5}})).empty());
}
