#pragma once

#include "config/cutover.hpp"

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
};

/// The rules in their order.
///
/// 1. A matching rule that pins to Postgres wins, wherever it stands.
/// 2. Of the other matching ones the first speaks, and no other.
/// 3. Each rule that has spoken counts a hit; a reload keeps the hits of rules that stay the same.
///
/// Immutable but for the hits; thread-safe.
class RuleSet {
  public:
    RuleSet() = default;
    RuleSet(std::vector<config::Rule> rules, const RuleSet* before);

    Ruled rule(const Subject& subject, bool counted = true) const;

    bool empty() const { return rules_.empty(); }

    std::vector<RuleView> views() const;

  private:
    struct Counted {
        config::Rule rule;
        std::shared_ptr<std::atomic<std::uint64_t>> hits;
    };

    std::vector<Counted> rules_;
};

bool matches(const config::Rule& rule, const Subject& subject);

/// A shape as users see and write it: 16 hexadecimal digits.
std::string shape_text(std::uint64_t shape);

}  // namespace veer::router::cutover
