#include "router/filter_implication.hpp"

#include <algorithm>
#include <optional>

namespace veer::router {

namespace {

using index::Filter;
using index::FilterValue;
using Kind = Filter::Kind;
using Comparison = Filter::Comparison;

/// Of pairs of conditions and of values that are compared; beyond, nothing is implied.
constexpr std::size_t steps_max = 100'000;

bool is_about_same(const Filter& one, const Filter& other) {
    return one.column == other.column && one.member == other.member;
}

/// Whether `premise`, one term, is not true of a row where the test finds NULL. Of a column, a test
/// of what is inside tells as well; the other way nothing does.
bool needs_value(const Filter& premise, const Filter& null_test) {
    const Filter& term = premise.kind == Kind::negation ? premise.children.front() : premise;
    const bool strict = term.kind == Kind::compare || term.kind == Kind::one_of ||
                        term.kind == Kind::contains || term.kind == Kind::overlaps;
    const bool covered =
        !null_test.member || (term.member == null_test.member && term.kind != Kind::contains);
    return strict && covered && term.column == null_test.column;
}

bool compares(Comparison comparison, const FilterValue& left, const FilterValue& right) {
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

/// column `from` a, a lower bound or an upper one, implies column `to` b.
bool bound_implies(const Filter& from, const Filter& to) {
    const FilterValue& a = from.values.front();
    const FilterValue& b = to.values.front();
    const bool strict =
        from.comparison == Comparison::less || from.comparison == Comparison::greater;
    switch (from.comparison) {
        case Comparison::less:
        case Comparison::less_or_equal:
            return (to.comparison == Comparison::less && (strict ? a <= b : a < b)) ||
                   (to.comparison == Comparison::less_or_equal && a <= b) ||
                   (to.comparison == Comparison::not_equal && (strict ? a <= b : a < b));
        case Comparison::greater:
        case Comparison::greater_or_equal:
            return (to.comparison == Comparison::greater && (strict ? a >= b : a > b)) ||
                   (to.comparison == Comparison::greater_or_equal && a >= b) ||
                   (to.comparison == Comparison::not_equal && (strict ? a >= b : a > b));
        case Comparison::equal:
        case Comparison::not_equal:
            break;
    }
    return false;
}

class Prover {
  public:
    bool implies(const Filter& premise, const Filter& conclusion) {
        if (!step()) {
            return false;
        }
        if (premise == conclusion) {
            return true;
        }
        const auto& wanted = conclusion.children;
        if (conclusion.kind == Kind::all_of) {
            return std::all_of(wanted.begin(), wanted.end(), [&](const Filter& child) {
                return implies(premise, child);
            });
        }
        const auto& said = premise.children;
        if (premise.kind == Kind::any_of) {
            return std::all_of(said.begin(), said.end(), [&](const Filter& child) {
                return implies(child, conclusion);
            });
        }
        const bool by_part = (premise.kind == Kind::all_of &&
                              std::any_of(
                                  said.begin(),
                                  said.end(),
                                  [&](const Filter& child) { return implies(child, conclusion); }
                              )) ||
                             (conclusion.kind == Kind::any_of &&
                              std::any_of(wanted.begin(), wanted.end(), [&](const Filter& child) {
                                  return implies(premise, child);
                              }));
        return by_part || leaf_implies(premise, conclusion);
    }

  private:
    bool step(std::size_t count = 1) {
        steps_ += count;
        return steps_ <= steps_max;
    }

    bool leaf_implies(const Filter& premise, const Filter& conclusion) {
        if (conclusion.kind == Kind::negation &&
            conclusion.children.front().kind == Kind::is_null) {
            return needs_value(premise, conclusion.children.front());
        }
        const bool one = premise.kind == Kind::compare && premise.comparison == Comparison::equal;
        if (one || premise.kind == Kind::one_of) {
            return std::all_of(
                premise.values.begin(),
                premise.values.end(),
                [&](const FilterValue& value) {
                    return truth(conclusion, premise, value).value_or(false);
                }
            );
        }
        return premise.kind == Kind::compare && conclusion.kind == Kind::compare &&
               is_about_same(premise, conclusion) && bound_implies(premise, conclusion);
    }

    /// Of a row that has this value where `place` looks; nothing where it is not known, or NULL.
    std::optional<bool> truth(
        const Filter& condition, const Filter& place, const FilterValue& value
    ) {
        if (!step(1 + condition.values.size())) {
            return std::nullopt;
        }
        switch (condition.kind) {
            case Kind::all_of:
                return junction(condition, place, value, false);
            case Kind::any_of:
                return junction(condition, place, value, true);
            case Kind::negation: {
                const auto inner = truth(condition.children.front(), place, value);
                return inner ? std::optional(!*inner) : std::nullopt;
            }
            case Kind::is_null:
                return is_about_same(condition, place) ? std::optional(false) : std::nullopt;
            case Kind::compare:
                return is_about_same(condition, place)
                           ? std::optional(
                                 compares(condition.comparison, value, condition.values.front())
                             )
                           : std::nullopt;
            case Kind::one_of: {
                const auto& values = condition.values;
                const bool listed = std::find(values.begin(), values.end(), value) != values.end();
                const bool known =
                    is_about_same(condition, place) && (listed || !condition.null_listed);
                return known ? std::optional(listed) : std::nullopt;
            }
            case Kind::unknown:
            case Kind::contains:
            case Kind::overlaps:
                break;
        }
        return std::nullopt;
    }

    /// Of `decisive` one is enough; of the other all are needed.
    std::optional<bool> junction(
        const Filter& condition, const Filter& place, const FilterValue& value, bool decisive
    ) {
        bool all_known = true;
        for (const Filter& child : condition.children) {
            const auto each = truth(child, place, value);
            if (each == decisive) {
                return decisive;
            }
            all_known = all_known && each.has_value();
        }
        return all_known ? std::optional(!decisive) : std::nullopt;
    }

    std::size_t steps_ = 0;
};

}  // namespace

bool implies(const Filter& premise, const Filter& conclusion) {
    return Prover{}.implies(premise, conclusion);
}

}  // namespace veer::router
