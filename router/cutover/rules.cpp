#include "router/cutover/rules.hpp"

#include "config/network.hpp"
#include "router/cutover/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace veer::router::cutover {

namespace {

bool same(const std::string& wanted, std::string_view found) {
    return wanted.empty() || wanted == found;
}

bool has_tag(const std::string& wanted, std::span<const Tag> tags) {
    if (wanted.empty()) {
        return true;
    }
    return std::any_of(tags.begin(), tags.end(), [&wanted](const Tag& tag) {
        return wanted == tag.first + '=' + tag.second;
    });
}

/// Behind a route's last space stands its operator.
std::string_view operator_of(std::string_view route) {
    return route.substr(route.rfind(' ') + 1);
}

/// A client's address is asked for where a rule has a network, and else never.
bool from(const std::string& network, std::string_view client) {
    if (network.empty()) {
        return true;
    }
    const auto parsed = config::parse_network(network);
    return parsed && parsed->contains(client);
}

void name(std::string& text, std::string_view key, const std::string& value) {
    if (!value.empty()) {
        text += (text.empty() ? "" : " ") + std::string(key) + '=' + value;
    }
}

std::string match_text(const config::Rule& rule) {
    std::string text;
    const auto number = [](std::uint32_t bound) {
        return bound == 0 ? std::string() : std::to_string(bound);
    };
    name(text, "route", rule.route);
    name(text, "role", rule.role);
    name(text, "application", rule.application);
    name(text, "database", rule.database);
    name(text, "operator", rule.operator_name);
    name(text, "client", rule.client);
    name(text, "shape", rule.shape);
    name(text, "tag", rule.tag);
    name(text, "k_min", number(rule.k_min));
    name(text, "k_max", number(rule.k_max));
    name(text, "filtered", !rule.filtered ? "" : *rule.filtered ? "true" : "false");
    return text.empty() ? "*" : text;
}

std::string effect_text(const config::Rule& rule) {
    std::string text;
    name(text, "pin", rule.pin_postgres ? "postgres" : "");
    name(text, "allow", rule.allow_veer ? "veer" : "");
    name(text, "max_percent", rule.max_percent ? number_to_text(*rule.max_percent) : "");
    name(text, "sample", rule.sample ? number_to_text(*rule.sample) : "");
    return text;
}

}  // namespace

bool matches(const config::Rule& rule, const Subject& subject) {
    return rule.active && same(rule.route, subject.route) && same(rule.role, subject.role) &&
           same(rule.application, subject.application) && same(rule.database, subject.database) &&
           same(rule.operator_name, operator_of(subject.route)) &&
           from(rule.client, subject.client) &&
           (rule.shape.empty() || rule.shape == shape_text(subject.shape)) &&
           has_tag(rule.tag, subject.tags) && subject.k >= rule.k_min &&
           (rule.k_max == 0 || subject.k <= rule.k_max) &&
           rule.filtered.value_or(subject.filtered) == subject.filtered;
}

RuleSet::RuleSet(std::vector<config::Rule> rules, const RuleSet* before) {
    std::stable_sort(rules.begin(), rules.end(), [](const auto& left, const auto& right) {
        return left.id < right.id;
    });
    for (config::Rule& rule : rules) {
        auto hits = std::make_shared<Hits>();
        if (before != nullptr) {
            for (const Counted& known : before->rules_) {
                hits = known.rule == rule ? known.hits : hits;
            }
        }
        samples_ = samples_ || (rule.active && rule.sample);
        rules_.push_back({std::move(rule), std::move(hits)});
    }
}

const RuleSet::Counted* RuleSet::speaker(const Subject& subject) const {
    const Counted* speaker = nullptr;
    for (const Counted& each : rules_) {
        if ((speaker == nullptr || each.rule.pin_postgres) && matches(each.rule, subject)) {
            speaker = &each;
            if (each.rule.pin_postgres) {
                break;
            }
        }
    }
    return speaker;
}

Ruled RuleSet::rule(const Subject& subject, bool counted) const {
    Ruled ruled;
    if (const Counted* const speaker = this->speaker(subject)) {
        speaker->hits->count.fetch_add(counted ? 1 : 0, std::memory_order_relaxed);
        ruled = {
            .postgres = speaker->rule.pin_postgres,
            .allow_veer = speaker->rule.allow_veer,
            .max_percent = speaker->rule.max_percent,
            .sample = speaker->rule.sample};
    }
    return ruled;
}

std::optional<double> RuleSet::sample(const Subject& subject) const {
    const Counted* const speaker = samples_ ? this->speaker(subject) : nullptr;
    return speaker == nullptr ? std::nullopt : speaker->rule.sample;
}

void RuleSet::note_hits(Time now) const {
    for (const Counted& each : rules_) {
        const std::uint64_t hits = each.hits->count.load(std::memory_order_relaxed);
        if (each.hits->seen.exchange(hits, std::memory_order_relaxed) != hits) {
            each.hits->last_hit.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        }
    }
}

std::vector<RuleView> RuleSet::views() const {
    std::vector<RuleView> views;
    for (const Counted& each : rules_) {
        const std::int64_t last = each.hits->last_hit.load(std::memory_order_relaxed);
        views.push_back(
            {each.rule,
             match_text(each.rule),
             effect_text(each.rule),
             each.hits->count.load(std::memory_order_relaxed),
             last < 0 ? std::nullopt : std::optional(Time(Duration(last)))}
        );
    }
    return views;
}

std::string shape_text(std::uint64_t shape) {
    std::array<char, 20> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(shape));
    return text.data();
}

}  // namespace veer::router::cutover
