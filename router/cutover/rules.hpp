#pragma once

#include "config/cutover.hpp"
#include "router/cutover/evidence.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace veer::router::cutover {

using Tag = std::pair<std::string, std::string>;

/// What a rule may ask of a search.
struct Subject {
    std::string_view route = {};
    std::string_view role = {};
    std::string_view application = {};
    std::string_view database = {};
    std::string_view client = {};  ///< numeric address; empty over a Unix socket
    std::uint64_t shape = 0;
    std::uint64_t k = 0;
    bool filtered = false;  ///< it has a WHERE
    std::span<const Tag> tags = {};
};

/// What the rules say about a search.
struct Ruled {
    bool postgres = false;
    bool allow_veer = false;  ///< by a rule: it may be forced to the index by whoever searches
    std::optional<double> max_percent = std::nullopt;
    std::optional<double> sample = std::nullopt;
};

/// SHOW RULES, one row.
struct RuleView {
    config::Rule rule;
    std::string match;   ///< "role=billing application=cron"
    std::string effect;  ///< "pin=postgres"
    std::uint64_t hits = 0;
    std::optional<Time> last_hit = std::nullopt;  ///< as of a look at the hits, see note_hits()
};

/// The rules in their order.
///
/// 1. A matching rule that pins to Postgres wins, wherever it stands.
/// 2. Of the other matching ones the first speaks, and no other.
/// 3. Each rule that has spoken counts a hit; a reload keeps the hits of rules that stay the same.
///
/// Immutable but for the hits; thread-safe, note_hits() for one thread at a time.
class RuleSet {
  public:
    RuleSet() = default;
    RuleSet(std::vector<config::Rule> rules, const RuleSet* before);

    Ruled rule(const Subject& subject, bool counted = true) const;

    /// The share of such searches that is compared, by the rule that speaks. Counts no hit.
    std::optional<double> sample(const Subject& subject) const;

    bool empty() const { return rules_.empty(); }

    /// What has hits that it had not at the last look was hit now: searches ask no clock.
    void note_hits(Time now) const;

    std::vector<RuleView> views() const;

  private:
    struct Hits {
        std::atomic<std::uint64_t> count = 0;
        std::atomic<std::uint64_t> seen = 0;      ///< by note_hits()
        std::atomic<std::int64_t> last_hit = -1;  ///< milliseconds of Time; below 0: none
    };

    struct Counted {
        config::Rule rule;
        std::shared_ptr<Hits> hits;
    };

    const Counted* speaker(const Subject& subject) const;

    std::vector<Counted> rules_;
    bool samples_ = false;  ///< any says a share to be compared
};

bool matches(const config::Rule& rule, const Subject& subject);

/// A shape as users see and write it: 16 hexadecimal digits.
std::string shape_text(std::uint64_t shape);

}  // namespace veer::router::cutover
