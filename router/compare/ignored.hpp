#pragma once

#include "router/compare/difference.hpp"
#include "router/compare/mismatch_store.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace veer::router::compare {

/// Differences that an operator knows of and does not want counted: of one class and one shape of
/// search, until a day, with a reason.
///
/// 1. Nothing is ignored for ever: at most for `lasting_max_us`, and a restart forgets all of it.
/// 2. Only what says nothing of rights: rows that a role may not see, or WHERE forbids, are never
///    ignored.
/// 3. What is ignored is excluded and counted so, and the share of excluded comparisons has a bound
///    of its own: this hides no damage from the gates.
///
/// Thread-safe; bounded. Time is an argument.
class Ignored {
  public:
    static constexpr std::size_t rules_max = 100;
    static constexpr std::int64_t lasting_max_us = std::int64_t{90} * 86'400 * 1'000'000;

    struct Rule {
        Difference difference = Difference::none;
        std::uint64_t shape = 0;    ///< cutover::shape_id()
        std::int64_t until_us = 0;  ///< microseconds since 1970
        std::string reason;
        std::string by;
        std::uint64_t hits = 0;
    };

    /// In the place of one of the same class and shape. A sentence where it is refused.
    std::string add(Rule rule, std::int64_t now_us);

    /// False where there was none.
    bool remove(Difference difference, std::uint64_t shape);

    /// Takes the rows of ignored classes out of the judgement: the next worst is the verdict, and
    /// `ignored` where there is none.
    void apply(Mismatch& comparison);

    /// Those that hold.
    std::vector<Rule> rules(std::int64_t now_us) const;

  private:
    mutable std::mutex mutex_;
    std::vector<Rule> rules_;
};

}  // namespace veer::router::compare
