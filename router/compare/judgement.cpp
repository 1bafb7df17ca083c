#include "router/compare/judgement.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace veer::router::compare {

namespace {

using Distances = std::unordered_map<std::string_view, double>;

Distances by_key(const Rows& rows) {
    Distances distances;
    for (const index::Hit& row : rows) {
        distances.emplace(row.key, row.distance);
    }
    return distances;
}

/// The rows that are not in motion.
Rows still(const Rows& rows, const Changed& changed) {
    Rows kept;
    for (const index::Hit& row : rows) {
        if (changed.keys.find(row.key) == changed.keys.end()) {
            kept.push_back(row);
        }
    }
    return kept;
}

std::size_t without(const Rows& all, const Rows& kept, std::size_t k) {
    return std::min(all.size(), k) - std::min(kept.size(), std::min(all.size(), k));
}

void cut(Rows& rows, std::size_t k) {
    rows.resize(std::min(rows.size(), k));
}

bool same_keys_in_order(const Rows& a, const Rows& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.key == y.key;
    });
}

/// sum over depth of (1 - p) p^(depth - 1) * agreement, the tail as the last agreement (Webber,
/// Moffat & Zobel 2010, extrapolated).
double rank_biased_overlap(const Rows& a, const Rows& b) {
    constexpr double p = 0.9;
    const std::size_t depth = std::max(a.size(), b.size());
    if (depth == 0) {
        return 1;
    }
    std::unordered_set<std::string_view> seen_a;
    std::unordered_set<std::string_view> seen_b;
    double sum = 0;
    double weight = 1 - p;
    double agreement = 0;
    std::size_t common = 0;
    for (std::size_t i = 0; i < depth; ++i) {
        if (i < a.size() && seen_a.insert(a[i].key).second && seen_b.count(a[i].key) != 0) {
            ++common;
        }
        if (i < b.size() && seen_b.insert(b[i].key).second && seen_a.count(b[i].key) != 0) {
            ++common;
        }
        agreement = static_cast<double>(common) / static_cast<double>(i + 1);
        sum += weight * agreement;
        weight *= p;
    }
    return std::min(1.0, sum + agreement * std::pow(p, static_cast<double>(depth)));
}

/// One comparison of rows that stand still, under one tolerance.
class Bench {
  public:
    Bench(
        const Triangle& triangle, Rows veer, Rows postgres, std::optional<Rows> exact, std::size_t k
    )
        : triangle_(triangle),
          tolerance_(triangle.tolerance),
          veer_(std::move(veer)),
          postgres_(std::move(postgres)),
          exact_(std::move(exact)),
          of_veer_(by_key(veer_)),
          of_postgres_(by_key(postgres_)),
          k_(k) {}

    Judgement decide(const Tolerance& tolerance) {
        tolerance_ = tolerance;
        result_ = {};
        result_.judged = exact_.has_value();
        result_.k = k_;
        set_reference();
        check_shape();
        check_rows();
        check_payload();
        check_copy();
        measure();
        count_missed();
        note_ties();
        settle_verdict();
        return result_;
    }

  private:
    std::uint32_t& rows_of(Difference difference) {
        return result_.rows.at(static_cast<std::size_t>(difference));
    }

    /// Postgres' word where there is one, else veer's.
    double distance_of(const index::Hit& row) const {
        if (const auto own = of_postgres_.find(row.key); own != of_postgres_.end()) {
            return own->second;
        }
        const auto said = triangle_.confirmed.find(row.key);
        return said != triangle_.confirmed.end() && said->second ? *said->second : row.distance;
    }

    /// Postgres knows of the row, and WHERE lets it through.
    bool belongs(const index::Hit& row) const {
        const auto said = triangle_.confirmed.find(row.key);
        return !outside(row) && (said == triangle_.confirmed.end() || said->second.has_value());
    }

    bool outside(const index::Hit& row) const {
        return triangle_.outside.find(row.key) != triangle_.outside.end();
    }

    void set_reference() {
        Rows reference;
        if (exact_) {
            std::copy_if(
                exact_->begin(),
                exact_->end(),
                std::back_inserter(reference),
                [&](const auto& row) { return belongs(row); }
            );
        } else {
            reference = postgres_;
            for (const index::Hit& row : veer_) {
                if (of_postgres_.find(row.key) == of_postgres_.end() && belongs(row)) {
                    reference.push_back({row.key, distance_of(row)});
                }
            }
            std::sort(reference.begin(), reference.end(), [](const auto& a, const auto& b) {
                return a.distance < b.distance;
            });
        }
        cut(reference, k_);
        wanted_ = reference.size();
        border_ =
            wanted_ == 0 ? std::numeric_limits<double>::infinity() : reference.back().distance;
        reference_ = std::move(reference);
    }

    bool within(double distance) const { return !tolerance_.nearer(border_, distance); }

    void check_shape() {
        std::unordered_set<std::string_view> seen;
        for (std::size_t i = 0; i < veer_.size(); ++i) {
            rows_of(Difference::duplicate_id) += seen.insert(veer_[i].key).second ? 0U : 1U;
            const bool back = i > 0 && tolerance_.nearer(veer_[i].distance, veer_[i - 1].distance);
            rows_of(Difference::unsorted) += back ? 1U : 0U;
        }
    }

    void check_rows() {
        for (const index::Hit& row : veer_) {
            if (outside(row)) {
                ++rows_of(Difference::filter_violation);
            } else if (!belongs(row)) {
                ++rows_of(Difference::invisible_row);
            } else if (!tolerance_.same(row.distance, distance_of(row))) {
                ++rows_of(Difference::wrong_distance);
            }
        }
    }

    /// Whether a row of veer's has what Postgres' row of that key has.
    void check_payload() {
        for (const index::Hit& row : veer_) {
            const auto said = triangle_.payload.find(row.key);
            if (said == triangle_.payload.end() || said->second.size() != row.values.size()) {
                continue;
            }
            bool same = true;
            for (std::size_t i = 0; i < row.values.size(); ++i) {
                if (row.values[i] != said->second[i]) {
                    result_.payload_columns.insert(i);
                    same = false;
                }
            }
            rows_of(Difference::payload) += same ? 0U : 1U;
        }
    }

    /// Whether the copy has what Postgres has: a row nearer than the exact answer's last must be in
    /// that answer.
    void check_copy() {
        if (!exact_) {
            return;
        }
        const Distances copied = by_key(*exact_);
        const auto check = [&](const std::string& key, double distance) {
            const auto copy = copied.find(key);
            if (copy != copied.end()) {
                // veer's own row of that key has been looked at already
                const bool wrong = !tolerance_.same(copy->second, distance);
                rows_of(Difference::wrong_distance) +=
                    wrong && of_veer_.find(key) == of_veer_.end() ? 1U : 0U;
            } else if (tolerance_.nearer(distance, border_) || wanted_ < k_) {
                ++rows_of(Difference::missing_row);
            }
        };
        for (const index::Hit& row : postgres_) {
            check(row.key, row.distance);
        }
        for (const index::Hit& row : veer_) {
            if (of_postgres_.find(row.key) == of_postgres_.end() && belongs(row)) {
                check(row.key, distance_of(row));
            }
        }
    }

    std::size_t hits(const Rows& rows) const {
        std::unordered_set<std::string_view> counted;
        for (const index::Hit& row : rows) {
            if (belongs(row) && within(distance_of(row))) {
                counted.insert(row.key);
            }
        }
        return std::min(counted.size(), wanted_);
    }

    void measure() {
        veer_hits_ = hits(veer_);
        pg_hits_ = hits(postgres_);
        if (wanted_ > 0) {
            const auto wanted = static_cast<double>(wanted_);
            result_.recall = static_cast<double>(veer_hits_) / wanted;
            result_.pg_recall = static_cast<double>(pg_hits_) / wanted;
            const auto common =
                std::count_if(of_veer_.begin(), of_veer_.end(), [&](const auto& row) {
                    return of_postgres_.find(row.first) != of_postgres_.end();
                });
            result_.overlap = std::min(1.0, static_cast<double>(common) / wanted);
        }
        result_.rank_overlap = rank_biased_overlap(veer_, postgres_);
        double sum = 0;
        double exact = 0;
        for (std::size_t i = 0; i < std::min(veer_.size(), wanted_); ++i) {
            sum += veer_[i].distance;
            exact += reference_[i].distance;
        }
        // Negative sums (inner product) have no meaningful ratio.
        result_.distance_ratio = exact > 0 && sum > 0 ? sum / exact : 1;
    }

    /// Rows of `rows` that belong among the nearest and are not in `other`, at most `deficit`.
    std::uint32_t missed(const Rows& rows, const Distances& other, std::size_t deficit) const {
        std::size_t found = 0;
        for (const index::Hit& row : rows) {
            const bool lacking = other.find(row.key) == other.end();
            found += lacking && belongs(row) && within(distance_of(row)) ? 1U : 0U;
        }
        return static_cast<std::uint32_t>(std::min(found, deficit));
    }

    void count_missed() {
        const std::size_t deficit = wanted_ - veer_hits_;
        const std::size_t pg_deficit = wanted_ - pg_hits_;
        rows_of(Difference::veer_missed) = missed(postgres_, of_veer_, deficit);
        rows_of(Difference::pg_missed) = missed(veer_, of_postgres_, pg_deficit);
        std::size_t in_neither = 0;
        for (const index::Hit& row : reference_) {
            in_neither += of_veer_.find(row.key) == of_veer_.end() &&
                                  of_postgres_.find(row.key) == of_postgres_.end()
                              ? 1U
                              : 0U;
        }
        rows_of(Difference::both_missed) = static_cast<std::uint32_t>(
            std::min({in_neither, deficit - count(Difference::veer_missed), pg_deficit})
        );
        rows_of(Difference::veer_short) = veer_.size() < wanted_ ? 1U : 0U;
        rows_of(Difference::pg_short) = postgres_.size() < wanted_ ? 1U : 0U;
    }

    std::uint32_t count(Difference difference) const { return result_.count(difference); }

    void note_ties() {
        if (same_keys_in_order(veer_, postgres_)) {
            return;
        }
        const auto swapped = missed(veer_, of_postgres_, veer_.size());  // and as near as the rest
        const bool same_rows = veer_.size() == postgres_.size() &&
                               std::all_of(veer_.begin(), veer_.end(), [&](const auto& row) {
                                   return of_postgres_.find(row.key) != of_postgres_.end();
                               });
        rows_of(Difference::tie_border) = swapped - std::min(swapped, count(Difference::pg_missed));
        rows_of(Difference::tie_order) = same_rows ? 1U : 0U;
    }

    void settle_verdict() {
        for (std::size_t i = 0; i < difference_count; ++i) {
            if (result_.rows.at(i) > 0) {
                result_.verdict = static_cast<Difference>(i);
                return;
            }
        }
        result_.rows.back() = 1;
    }

    const Triangle& triangle_;
    Tolerance tolerance_;
    Rows veer_;
    Rows postgres_;
    std::optional<Rows> exact_;
    Distances of_veer_;
    Distances of_postgres_;
    std::size_t k_;
    Rows reference_;
    double border_ = 0;
    std::size_t wanted_ = 0;
    std::size_t veer_hits_ = 0;
    std::size_t pg_hits_ = 0;
    Judgement result_;
};

Judgement excluded_as(Difference why, const Judgement& judgement) {
    Judgement excluded = judgement;
    excluded.verdict = why;
    excluded.rows = {};
    excluded.rows.at(static_cast<std::size_t>(why)) = 1;
    return excluded;
}

Judgement failed() {
    Judgement judgement;
    judgement.verdict = Difference::error_veer_only;
    judgement.rows.at(static_cast<std::size_t>(Difference::error_veer_only)) = 1;
    judgement.recall = judgement.overlap = judgement.rank_overlap = 0;
    return judgement;
}

bool differs(const Judgement& judgement) {
    return severity_of(judgement.verdict) != Severity::equal;
}

Judgement decide(
    const Triangle& triangle, Rows veer, Rows postgres, std::optional<Rows> exact, std::size_t k
) {
    cut(veer, k);
    cut(postgres, k);
    Bench bench(triangle, std::move(veer), std::move(postgres), std::move(exact), k);
    const Judgement strict = bench.decide(triangle.tolerance.scaled(0.1));
    const Judgement lenient = bench.decide(triangle.tolerance.scaled(10));
    Judgement judgement = bench.decide(triangle.tolerance);
    const auto kind = [](const Judgement& one) {
        return severity_of(one.verdict);
    };
    judgement.tolerance_matters =
        kind(strict) != kind(judgement) || kind(lenient) != kind(judgement);
    return judgement;
}

}  // namespace

Judgement judge(const Triangle& triangle) {
    if (!triangle.veer) {
        return failed();
    }
    Judgement whole =
        decide(triangle, *triangle.veer, triangle.postgres, triangle.exact, triangle.k);
    if (!differs(whole)) {
        return whole;
    }
    if (!triangle.changed.covered) {
        return excluded_as(Difference::uncovered, whole);
    }
    if (triangle.moving && severity_of(whole.verdict) != Severity::hard) {
        return excluded_as(Difference::moving, whole);
    }
    Rows veer = still(*triangle.veer, triangle.changed);
    Rows postgres = still(triangle.postgres, triangle.changed);
    std::optional<Rows> exact = triangle.exact;
    std::size_t gaps = std::max(
        without(*triangle.veer, veer, triangle.k), without(triangle.postgres, postgres, triangle.k)
    );
    if (exact) {
        Rows nearest = *exact;
        cut(nearest, triangle.k);
        gaps = std::max(gaps, nearest.size() - still(nearest, triangle.changed).size());
        exact = still(*exact, triangle.changed);
    }
    const std::size_t k = triangle.k - std::min(gaps, triangle.k);
    if (!triangle.changed.complete || 2 * k < triangle.k) {
        return excluded_as(Difference::in_flight, whole);
    }
    if (triangle.changed.keys.empty()) {
        return whole;
    }
    const Judgement rest =
        decide(triangle, std::move(veer), std::move(postgres), std::move(exact), k);
    return differs(rest) ? rest : excluded_as(Difference::in_flight, whole);
}

}  // namespace veer::router::compare
