#include "router/cutover/state.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace veer::router::cutover {

namespace {

constexpr std::array<std::string_view, 6> states{
    "off", "observe", "shadow", "canary", "full", "complete"};
constexpr std::array<std::string_view, 5> origins{
    "file", "command", "automation", "guard", "trial"};

template <class T, std::size_t count>
std::optional<T> named(const std::array<std::string_view, count>& names, std::string_view text) {
    const auto* const found = std::find(names.begin(), names.end(), text);
    return found == names.end() ? std::nullopt
                                : std::optional(static_cast<T>(found - names.begin()));
}

}  // namespace

std::string_view to_string(State state) {
    return states.at(static_cast<std::size_t>(state));
}

std::optional<State> state_from_text(std::string_view text) {
    return named<State>(states, text);
}

std::string_view to_string(Origin origin) {
    return origins.at(static_cast<std::size_t>(origin));
}

std::optional<Origin> origin_from_text(std::string_view text) {
    return named<Origin>(origins, text);
}

State state_of(double percent, State below) {
    if (percent <= 0) {
        return below;
    }
    return percent >= 100 ? State::full : State::canary;
}

Position configured(double percent, Time now) {
    Position position;
    position.state = state_of(percent, State::observe);
    position.desired = percent;
    position.file_percent = percent;
    position.since = now;
    return position;
}

std::optional<double> step_above(const std::vector<double>& steps, double share) {
    const auto found = std::upper_bound(steps.begin(), steps.end(), share);
    return found == steps.end() ? std::nullopt : std::optional(*found);
}

double step_below(const std::vector<double>& steps, double share) {
    const auto found = std::lower_bound(steps.begin(), steps.end(), share);
    return found == steps.begin() ? 0 : *std::prev(found);
}

}  // namespace veer::router::cutover
