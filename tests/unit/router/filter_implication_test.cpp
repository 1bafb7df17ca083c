#include "router/filter_implication.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace veer::router;
using veer::index::Filter;
using veer::index::FilterValue;
using Kind = Filter::Kind;
using Comparison = Filter::Comparison;

namespace {

Filter compare(Comparison comparison, std::int64_t value, std::size_t column = 0) {
    return {.kind = Kind::compare, .comparison = comparison, .column = column, .values = {value}};
}

Filter equal(std::int64_t value, std::size_t column = 0) {
    return compare(Comparison::equal, value, column);
}

Filter one_of(std::vector<FilterValue> values, bool null_listed = false) {
    return {.kind = Kind::one_of, .null_listed = null_listed, .values = std::move(values)};
}

Filter all_of(std::vector<Filter> children) {
    return {.kind = Kind::all_of, .children = std::move(children)};
}

Filter any_of(std::vector<Filter> children) {
    return {.kind = Kind::any_of, .children = std::move(children)};
}

Filter no(Filter child) {
    return {.kind = Kind::negation, .children = {std::move(child)}};
}

Filter is_null(std::size_t column = 0) {
    return {.kind = Kind::is_null, .column = column};
}

FilterValue number(std::int64_t value) {
    return value;
}

constexpr Comparison comparisons[] = {
    Comparison::equal,
    Comparison::not_equal,
    Comparison::less,
    Comparison::less_or_equal,
    Comparison::greater,
    Comparison::greater_or_equal};

bool holds(Comparison comparison, std::int64_t left, std::int64_t right) {
    switch (comparison) {
        case Comparison::equal:
            return left == right;
        case Comparison::not_equal:
            return left != right;
        case Comparison::less:
            return left < right;
        case Comparison::less_or_equal:
            return left <= right;
        case Comparison::greater:
            return left > right;
        case Comparison::greater_or_equal:
            break;
    }
    return left >= right;
}

}  // namespace

TEST_CASE("What is implied of a comparison holds of every value", "[router]") {
    std::size_t proven = 0;
    for (const Comparison one : comparisons) {
        for (const Comparison other : comparisons) {
            for (std::int64_t a = 0; a < 4; ++a) {
                for (std::int64_t b = 0; b < 4; ++b) {
                    bool always = true;
                    for (std::int64_t value = -2; value < 7; ++value) {
                        always = always && (!holds(one, value, a) || holds(other, value, b));
                    }
                    const bool implied = implies(compare(one, a), compare(other, b));
                    CHECK((!implied || always));
                    proven += implied ? 1 : 0;
                    // Of what needs no counting (x > 2 is x >= 3), all that holds is seen.
                    if (one == Comparison::equal || one == other) {
                        CHECK(implied == always);
                    }
                }
            }
        }
    }
    CHECK(proven > 100);
}

TEST_CASE("Lists imply what each of their values does", "[router]") {
    CHECK(implies(one_of({number(3), number(4)}), one_of({number(4), number(5), number(3)})));
    CHECK_FALSE(implies(one_of({number(3), number(6)}), one_of({number(3), number(4)})));
    CHECK(implies(equal(3), one_of({number(3)}, true)));
    CHECK(implies(one_of({number(3)}, true), equal(3)));  // NULL is never equal
    CHECK(implies(equal(3), no(one_of({number(4)}))));
    CHECK_FALSE(implies(equal(3), no(one_of({number(4)}, true))));  // NOT NULL is not true
    CHECK_FALSE(implies(no(equal(3)), equal(4)));
}

TEST_CASE("AND and OR imply as logic has it", "[router]") {
    const Filter both = all_of({equal(3), compare(Comparison::greater, 20, 1)});
    CHECK(implies(both, equal(3)));
    CHECK(implies(both, compare(Comparison::greater, 10, 1)));
    CHECK(implies(both, all_of({compare(Comparison::greater, 20, 1), equal(3)})));
    CHECK(implies(both, any_of({equal(9), equal(3)})));
    CHECK_FALSE(implies(equal(3), both));
    CHECK_FALSE(implies(any_of({equal(3), equal(4)}), equal(3)));
    CHECK(implies(any_of({equal(3), equal(4)}), compare(Comparison::less, 5)));
    CHECK(implies(any_of({equal(3), equal(4)}), any_of({equal(4), equal(3)})));
    CHECK_FALSE(implies(all_of({}), equal(3)));
    CHECK(implies(any_of({}), equal(3)));  // no row at all
}

TEST_CASE("What is compared is not NULL", "[router]") {
    CHECK(implies(equal(3), no(is_null())));
    CHECK(implies(no(equal(3)), no(is_null())));
    CHECK(implies(one_of({number(3)}, true), no(is_null())));
    CHECK(implies(no(is_null()), no(is_null())));
    CHECK_FALSE(implies(equal(3, 1), no(is_null())));
    CHECK_FALSE(implies(is_null(), no(is_null())));
    CHECK_FALSE(implies(no(is_null(1)), no(is_null())));
    CHECK_FALSE(implies(equal(3), is_null()));
    CHECK_FALSE(implies(no(all_of({equal(3), equal(4, 1)})), no(is_null())));
}

TEST_CASE("A member of a document is another thing than the document", "[router]") {
    Filter english = {
        .kind = Kind::compare, .column = 0, .member = "lang", .values = {FilterValue("en")}};
    Filter other = english;
    other.member = "kind";
    CHECK(implies(english, english));
    CHECK_FALSE(implies(english, other));
    CHECK(implies(english, no(is_null())));
    Filter without = is_null();
    without.member = "lang";
    CHECK(implies(english, no(without)));
    CHECK_FALSE(implies(other, no(without)));
    CHECK_FALSE(implies(equal(3), no(without)));
}

TEST_CASE("A proof has an end", "[router]") {
    std::vector<FilterValue> many;
    std::vector<FilterValue> more;
    for (std::int64_t value = 0; value < 9'000; ++value) {
        many.emplace_back(value);
        more.emplace_back(9'000 - value);
    }
    CHECK_FALSE(implies(one_of(many), one_of(more)));
}
