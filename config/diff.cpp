#include "config/diff.hpp"

#include "config/keys.hpp"

#include <algorithm>

namespace veer::config {
namespace {

bool same_route(const Route& left, const Route& right) {
    return left.column == right.column && left.legacy == right.legacy &&
           left.operator_name == right.operator_name;
}

const Route* find_route(const Config& config, const Route& wanted) {
    const auto found =
        std::find_if(config.routes.begin(), config.routes.end(), [&wanted](const Route& each) {
            return same_route(each, wanted);
        });
    return found == config.routes.end() ? nullptr : &*found;
}

std::string share_of(const Route& route) {
    return "percent = " + to_string(Value(route.percent)) +
           ", salt = " + to_string(Value(route.salt));
}

const Rule* find_rule(const Config& config, std::uint32_t id) {
    const auto found = std::find_if(
        config.rules.begin(), config.rules.end(), [id](const Rule& each) { return each.id == id; }
    );
    return found == config.rules.end() ? nullptr : &*found;
}

std::string rule_name(const Rule& rule) {
    return "rule " + std::to_string(rule.id);
}

std::string said_by(const Rule& rule) {
    std::string text;
    for (const RuleKey& key : rule_keys()) {
        if (const Value value = key.get(rule); value != Value()) {
            text += (text.empty() ? "" : ", ") + std::string(key.name) + " = " + to_string(value);
        }
    }
    return text;
}

/// The shown value hides passwords, so this one key is compared by what it really is.
bool differs(const Key& key, const Config& before, const Config& after) {
    if (key.table == "upstream" && key.name == "dsn") {
        return before.upstream.dsn != after.upstream.dsn;
    }
    return key.get(before) != key.get(after);
}

/// What is left out counts for nothing where a statement has made the index.
std::string given_percent(const Route& route) {
    return route.percent_given ? to_string(Value(route.percent)) : "";
}

void diff_route(const Route& before, const Route& after, std::vector<Change>& changes) {
    for (const RouteKey& key : route_keys()) {
        if (key.get(before) != key.get(after)) {
            changes.push_back(
                {"route " + route_name(before) + ' ' + std::string(key.name),
                 to_string(key.get(before)),
                 to_string(key.get(after)),
                 key.restart_required}
            );
        }
    }
    if (before.percent_given != after.percent_given && before.percent == after.percent) {
        changes.push_back(
            {"route " + route_name(before) + " percent",
             given_percent(before),
             given_percent(after),
             false}
        );
    }
}

}  // namespace

std::vector<Change> diff(const Config& before, const Config& after) {
    std::vector<Change> changes;
    for (const Key& key : keys()) {
        if (differs(key, before, after)) {
            changes.push_back(
                {std::string(key.table) + '.' + std::string(key.name),
                 to_string(key.get(before)),
                 to_string(key.get(after)),
                 key.restart_required}
            );
        }
    }
    for (const Route& route : before.routes) {
        if (const Route* now = find_route(after, route)) {
            diff_route(route, *now, changes);
        } else {
            changes.push_back(
                {"route " + route_name(route), share_of(route), "", route.is_declared()}
            );
        }
    }
    for (const Route& route : after.routes) {
        if (find_route(before, route) == nullptr) {
            changes.push_back(
                {"route " + route_name(route), "", share_of(route), route.is_declared()}
            );
        }
    }
    for (const Rule& rule : before.rules) {
        const Rule* const now = find_rule(after, rule.id);
        if (now == nullptr || !(*now == rule)) {
            changes.push_back(
                {rule_name(rule), said_by(rule), now == nullptr ? "" : said_by(*now), false}
            );
        }
    }
    for (const Rule& rule : after.rules) {
        if (find_rule(before, rule.id) == nullptr) {
            changes.push_back({rule_name(rule), "", said_by(rule), false});
        }
    }
    return changes;
}

std::string to_text(const Config& config) {
    std::string text;
    std::string_view table;
    for (const Key& key : keys()) {
        if (key.table != table) {
            table = key.table;
            text += text.empty() ? "[" : "\n[";
            text += table;
            text += "]\n";
        }
        text += key.name;
        text += " = " + to_string(key.get(config)) + '\n';
    }
    for (const Route& route : config.routes) {
        text += "\n[[route]]\n";
        for (const RouteKey& key : route_keys()) {
            if (key.name == "percent" && !route.percent_given) {
                continue;
            }
            text += key.name;
            text += " = " + to_string(key.get(route)) + '\n';
        }
    }
    for (const Rule& rule : config.rules) {
        text += "\n[[rule]]\n";
        for (const RuleKey& key : rule_keys()) {
            if (const Value value = key.get(rule); value != Value()) {
                text += std::string(key.name) + " = " + to_string(value) + '\n';
            }
        }
    }
    return text;
}

}  // namespace veer::config
