#include "proxy/cli/top.hpp"

#include "proxy/cli/text_output.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace veer::proxy::cli {

namespace {

struct Action {
    char key;
    std::string_view verb;
    bool of_route;
    bool asks;
};

constexpr std::array<Action, 7> actions{{
    {'r', "ROLLBACK", true, false},
    {'h', "HOLD", true, false},
    {'P', "PANIC", false, false},
    {'p', "PROMOTE", true, true},
    {'s', "SHADOW", true, true},
    {'c', "CONFIRM", true, true},
    {'u', "UNPANIC", false, true},
}};

}  // namespace

void Top::show(std::vector<std::string> routes) {
    const std::string meant = route();
    routes_ = std::move(routes);
    const auto found = std::find(routes_.begin(), routes_.end(), meant);
    if (found == routes_.end()) {
        chosen_ = 0;
        waiting_.clear();  // it was about another one
    } else {
        chosen_ = static_cast<std::size_t>(found - routes_.begin());
    }
}

std::string Top::route() const {
    return chosen_ < routes_.size() ? routes_[chosen_] : std::string();
}

std::string Top::press(char key) {
    if (key == '\0') {  // none was pressed
        return {};
    }
    std::string waiting = std::exchange(waiting_, "");
    if (key == 'y') {
        return waiting;
    }
    if (key == 'q') {
        over_ = true;
        return {};
    }
    if (key >= '1' && key <= '9') {
        const auto wanted = static_cast<std::size_t>(key - '1');
        chosen_ = wanted < routes_.size() ? wanted : chosen_;
        return {};
    }
    const auto* const action = std::find_if(
        actions.begin(), actions.end(), [key](const Action& each) { return each.key == key; }
    );
    if (action == actions.end() || (action->of_route && routes_.empty())) {
        return {};
    }
    std::string statement(action->verb);
    statement += action->of_route ? ' ' + sql_literal(route()) : std::string();
    if (action->asks) {
        waiting_ = std::move(statement);
        return {};
    }
    return statement;
}

std::string Top::line() const {
    if (!waiting_.empty()) {
        return waiting_ + "?  y: yes, any other key: no";
    }
    return "r rollback  h hold  P panic  |  p promote  s shadow  c confirm  u unpanic  |  1-9 "
           "route: " +
           (routes_.empty() ? std::string("none") : route()) + "  |  q quit";
}

}  // namespace veer::proxy::cli
