#include "router/compare/judgement.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include <initializer_list>

namespace veer::router::compare {

namespace {

constexpr double tolerance = 1e-6;

/// "abc" is three rows at distances 1, 2, 3.
Rows rows(std::string_view keys) {
    Rows made;
    for (const char key : keys) {
        made.push_back({std::string(1, key), static_cast<double>(key - 'a' + 1)});
    }
    return made;
}

/// All rows there are, at their distances: 'a' at 1 to 'z' at 26.
constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz";

Triangle triangle(std::string_view veer, std::string_view postgres, std::size_t k = 4) {
    Triangle made;
    made.k = k;
    made.veer = rows(veer);
    made.postgres = rows(postgres);
    made.exact = rows(alphabet.substr(0, exact_rows(k)));
    made.tolerance = {.relative = tolerance, .absolute = 0};
    return made;
}

Difference verdict(const Triangle& triangle) {
    return judge(triangle).verdict;
}

}  // namespace

TEST_CASE("the same rows in the same order do not differ", "[compare]") {
    const Judgement judgement = judge(triangle("abcd", "abcd"));
    CHECK(judgement.verdict == Difference::none);
    CHECK(judgement.judged);
    CHECK(judgement.recall == 1);
    CHECK(judgement.pg_recall == 1);
    CHECK(judgement.overlap == 1);
    CHECK(judgement.rank_overlap == Catch::Approx(1));
    CHECK_FALSE(judgement.tolerance_matters);
}

TEST_CASE("a nearer row that only one side has was missed by the other", "[compare]") {
    const Judgement ours = judge(triangle("abce", "abcd"));
    CHECK(ours.verdict == Difference::veer_missed);
    CHECK(ours.count(Difference::veer_missed) == 1);
    CHECK(ours.count(Difference::pg_missed) == 0);
    CHECK(ours.recall == 0.75);
    CHECK(ours.pg_recall == 1);
    CHECK(ours.distance_ratio == Catch::Approx(11.0 / 10.0));

    const Judgement theirs = judge(triangle("abcd", "abce"));
    CHECK(theirs.verdict == Difference::pg_missed);
    CHECK(severity_of(theirs.verdict) == Severity::improvement);
    CHECK(theirs.recall == 1);
    CHECK(theirs.pg_recall == 0.75);

    const Judgement each = judge(triangle("abde", "abce"));
    CHECK(each.verdict == Difference::veer_missed);
    CHECK(each.count(Difference::pg_missed) == 1);
}

TEST_CASE("the same row with other values in its columns is a wrong answer", "[compare]") {
    using Values = std::vector<std::optional<std::string>>;
    Triangle triangle = ::veer::router::compare::triangle("abcd", "abcd");
    for (index::Hit& row : *triangle.veer) {
        row.values = {"1", std::nullopt};
        triangle.payload[row.key] = Values{"1", std::nullopt};
    }
    CHECK(verdict(triangle) == Difference::none);
    triangle.payload["b"] = Values{"1", ""};  // an empty text is not NULL
    triangle.payload["c"] = Values{std::nullopt, std::nullopt};
    const Judgement judgement = judge(triangle);
    CHECK(judgement.verdict == Difference::payload);
    CHECK(severity_of(judgement.verdict) == Severity::hard);
    CHECK(judgement.count(Difference::payload) == 2);
    CHECK(judgement.payload_columns == std::set<std::size_t>{0, 1});
    CHECK(judgement.recall == 1);

    // Rows in motion explain it, and only they do.
    triangle.changed.keys = {"b", "c"};
    CHECK(verdict(triangle) == Difference::in_flight);
    triangle.changed.keys = {"b"};
    CHECK(verdict(triangle) == Difference::payload);
    CHECK(judge(triangle).payload_columns == std::set<std::size_t>{0});
    triangle.changed.covered = false;
    CHECK(verdict(triangle) == Difference::uncovered);
}

TEST_CASE("columns that nobody asked for, or of other rows, are not compared", "[compare]") {
    Triangle triangle = ::veer::router::compare::triangle("abcd", "abcd");
    triangle.payload["a"] = {"1"};  // REWRITE's rows have no values of veer's
    CHECK(verdict(triangle) == Difference::none);
    triangle.veer->front().values = {"2"};
    CHECK(verdict(triangle) == Difference::payload);
    triangle.payload.clear();
    triangle.payload["z"] = {"1"};
    CHECK(verdict(triangle) == Difference::none);
}

TEST_CASE("a row that WHERE forbids is a wrong answer, and counts as none found", "[compare]") {
    Triangle wrong = triangle("abcx", "abcd");
    wrong.confirmed = {{"x", 24.0}};
    wrong.outside = {"x"};
    CHECK(verdict(wrong) == Difference::filter_violation);
    CHECK(severity_of(verdict(wrong)) == Severity::hard);
    CHECK(judge(wrong).count(Difference::filter_violation) == 1);
    CHECK(judge(wrong).recall == 0.75);
    // Of the judge's rows it is not one either, were it nearer than all.
    wrong = triangle("abcd", "bcde");
    wrong.confirmed = {{"a", 1.0}};
    wrong.outside = {"a"};
    CHECK(judge(wrong).count(Difference::filter_violation) == 1);
    CHECK(judge(wrong).recall == 0.75);
    CHECK(judge(wrong).pg_recall == 1);
    // Its columns changed meanwhile: then it proves nothing.
    wrong.changed.keys = {"a"};
    CHECK(severity_of(verdict(wrong)) != Severity::hard);
}

TEST_CASE("a row that neither has is known only by the exact answer", "[compare]") {
    Triangle both = triangle("acde", "acde");
    CHECK(verdict(both) == Difference::both_missed);
    CHECK(judge(both).recall == 0.75);
    both.exact.reset();
    const Judgement pooled = judge(both);
    CHECK(pooled.verdict == Difference::none);
    CHECK_FALSE(pooled.judged);
    CHECK(pooled.recall == 1);
}

TEST_CASE("without a judge the best of both is an upper bound of recall", "[compare]") {
    Triangle pooled = triangle("abcf", "abde");
    pooled.exact.reset();
    const Judgement judgement = judge(pooled);  // best of both: a b c d
    CHECK(judgement.recall == 0.75);
    CHECK(judgement.pg_recall == 0.75);
    CHECK(judgement.verdict == Difference::veer_missed);
    CHECK(judgement.recall >= judge(triangle("abcf", "abde")).recall);
}

TEST_CASE("ties at the border and within are no differences", "[compare]") {
    Triangle border = triangle("abcd", "abce");
    border.postgres.back().distance = 4.000001;  // e is as far as d, but for the last bits
    border.exact->at(4).distance = 4.000001;
    CHECK(verdict(border) == Difference::tie_border);
    CHECK(judge(border).recall == 1);
    CHECK(judge(border).pg_recall == 1);

    Triangle order = triangle("abcd", "acbd");
    for (Rows* rows : {&*order.veer, &order.postgres, &*order.exact}) {
        for (auto& row : *rows) {
            row.distance = row.key == "c" ? 2 : row.distance;
        }
    }
    CHECK(verdict(order) == Difference::tie_order);
}

TEST_CASE("a hundred rows at one distance are all as good", "[compare]") {
    Triangle equal;
    equal.k = 5;
    equal.exact.emplace();
    for (int i = 0; i < 26; ++i) {
        equal.exact->push_back({std::string(1, static_cast<char>('a' + i)), 7.0});
    }
    equal.veer = Rows(equal.exact->begin(), equal.exact->begin() + 5);
    equal.postgres = Rows(equal.exact->begin() + 15, equal.exact->begin() + 20);
    const Judgement judgement = judge(equal);
    CHECK(judgement.verdict == Difference::tie_border);
    CHECK(judgement.recall == 1);
    CHECK(judgement.pg_recall == 1);
    CHECK(judgement.overlap == 0);
}

TEST_CASE("noise in the last bits of a distance changes nothing", "[compare]") {
    Triangle noisy = triangle("abcd", "abcd");
    for (auto& row : noisy.postgres) {
        row.distance *= 1 + tolerance / 2;
    }
    CHECK(verdict(noisy) == Difference::none);
    CHECK(judge(noisy).tolerance_matters);  // a tenth of it would have said otherwise
    for (auto& row : noisy.postgres) {
        row.distance *= 1 + 100 * tolerance;
    }
    CHECK(verdict(noisy) == Difference::wrong_distance);
}

TEST_CASE("a row that Postgres does not have should not be there", "[compare]") {
    Triangle ghost = triangle("axbc", "abcd");
    ghost.veer->at(1) = {"x", 1.5};
    ghost.exact->insert(ghost.exact->begin() + 1, {"x", 1.5});
    ghost.confirmed["x"] = std::nullopt;
    const Judgement judgement = judge(ghost);
    CHECK(judgement.verdict == Difference::invisible_row);
    CHECK(judgement.count(Difference::invisible_row) == 1);
    CHECK(judgement.recall == 0.75);
    ghost.confirmed["x"] = 1.5;  // it is there: then pgvector has missed it
    CHECK(verdict(ghost) == Difference::pg_missed);
}

TEST_CASE("a row at another distance has another vector", "[compare]") {
    Triangle moved = triangle("abcd", "abcd");
    moved.veer->at(3).distance = 4.5;
    CHECK(verdict(moved) == Difference::wrong_distance);
    Triangle told = triangle("abce", "abcd");
    told.confirmed["e"] = 9.0;
    CHECK(verdict(told) == Difference::wrong_distance);
}

TEST_CASE("a near row that the copy lacks is missing", "[compare]") {
    Triangle lost = triangle("acde", "abcd");
    lost.exact->erase(lost.exact->begin() + 1);
    const Judgement judgement = judge(lost);
    CHECK(judgement.verdict == Difference::missing_row);
    CHECK(judgement.count(Difference::missing_row) == 1);
    Triangle small = triangle("abc", "abcd");  // fewer rows than asked for
    small.exact = rows("abc");
    CHECK(verdict(small) == Difference::missing_row);
}

TEST_CASE("duplicates, disorder and errors are hard differences", "[compare]") {
    CHECK(verdict(triangle("abbc", "abcd")) == Difference::duplicate_id);
    CHECK(verdict(triangle("abdc", "abcd")) == Difference::unsorted);
    Triangle error = triangle("", "abcd");
    error.veer.reset();
    CHECK(verdict(error) == Difference::error_veer_only);
    CHECK(judge(error).recall == 0);
    for (const Difference hard :
         {Difference::duplicate_id, Difference::unsorted, Difference::error_veer_only}) {
        CHECK(severity_of(hard) == Severity::hard);
    }
}

TEST_CASE("an answer that ends early is short", "[compare]") {
    const Judgement theirs = judge(triangle("abcd", "ab"));
    CHECK(theirs.count(Difference::pg_short) == 1);
    CHECK(theirs.verdict == Difference::pg_short);
    CHECK(theirs.pg_recall == 0.5);
    CHECK(verdict(triangle("ab", "abcd")) == Difference::veer_short);
    Triangle few = triangle("ab", "ab");  // there are no more
    few.exact = rows("ab");
    CHECK(verdict(few) == Difference::none);
    CHECK(judge(few).recall == 1);
}

TEST_CASE("rows that changed meanwhile explain a difference, and nothing else does", "[compare]") {
    Triangle lag = triangle("abcd", "acde");  // Postgres saw b deleted, veer did not yet
    lag.exact = rows("acdefghijklmnopqrstuvwxyz");
    lag.confirmed["b"] = std::nullopt;
    CHECK(verdict(lag) == Difference::invisible_row);
    lag.changed.keys = {"b"};
    CHECK(verdict(lag) == Difference::in_flight);
    CHECK(judge(lag).excluded());

    Triangle other = lag;  // beside it, a real one
    other.veer = rows("abcf");
    const Judgement judgement = judge(other);
    CHECK(judgement.verdict == Difference::veer_missed);
    CHECK(judgement.k == 3);

    Triangle unrelated = triangle("abce", "abcd");
    unrelated.changed.keys = {"x", "y"};
    CHECK(verdict(unrelated) == Difference::veer_missed);
    Triangle same = triangle("abcd", "abcd");
    same.changed.keys = {"b"};
    CHECK(verdict(same) == Difference::none);
}

TEST_CASE("where too much is in motion or unknown, nothing is said", "[compare]") {
    Triangle unknown = triangle("abce", "abcd");
    unknown.changed.complete = false;
    CHECK(verdict(unknown) == Difference::in_flight);
    unknown.changed.covered = false;
    CHECK(verdict(unknown) == Difference::uncovered);
    Triangle ghost = triangle("axbc", "abcd");  // a row that Postgres does not have
    ghost.confirmed["x"] = std::nullopt;
    CHECK(severity_of(verdict(ghost)) == Severity::hard);
    ghost.changed.covered = false;
    CHECK(verdict(ghost) == Difference::uncovered);
    Triangle equal = triangle("abcd", "abcd");
    equal.changed.covered = false;
    CHECK(verdict(equal) == Difference::none);
    Triangle storm = triangle("abce", "abcd");
    storm.changed.keys = {"a", "b", "c"};
    CHECK(verdict(storm) == Difference::in_flight);
}

TEST_CASE("what Postgres itself says differently a moment later is noise", "[compare]") {
    Triangle moving = triangle("abce", "abcd");
    moving.moving = true;
    CHECK(verdict(moving) == Difference::moving);
    moving.veer = rows("aabc");
    CHECK(verdict(moving) == Difference::duplicate_id);
}

TEST_CASE("recall at a tie counts no more rows than were asked for", "[compare]") {
    Triangle tie = triangle("abcd", "abcd", 2);
    for (Rows* rows : {&*tie.veer, &tie.postgres, &*tie.exact}) {
        for (auto& row : *rows) {
            row.distance = 1;
        }
    }
    CHECK(judge(tie).recall == 1);
}

TEST_CASE("tolerance grows with dimensions, and is absolute where sums cancel", "[compare]") {
    const std::vector<float> query(1536, 0.5F);
    const Tolerance l2 = tolerance_for(index::Metric::l2, query);
    CHECK(l2.relative > 3e-6);
    CHECK(l2.absolute == 0);
    CHECK(l2.same(0, 0));
    CHECK_FALSE(l2.same(0, 1e-12));
    const Tolerance cosine = tolerance_for(index::Metric::cosine, query);
    CHECK(cosine.same(0, 2.6e-6));  // the largest error measured at 1,536 dimensions
    const Tolerance inner = tolerance_for(index::Metric::inner_product, query);
    CHECK(inner.absolute > 100 * cosine.absolute);
    CHECK(l2.nearer(1, 1.00001));
    CHECK_FALSE(l2.nearer(1, 1.000001));
    CHECK_FALSE(l2.nearer(2, 1));
}

}  // namespace veer::router::compare
