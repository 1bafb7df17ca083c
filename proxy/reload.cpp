#include "proxy/reload.hpp"

#include "config/keys.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace veer::proxy {

namespace {

const std::string file_has_changed =
    "The configuration file is not what was read last: RELOAD DRY RUN says how, RELOAD takes it.";

}  // namespace

LiveConfig::LiveConfig(
    RunOptions options,
    const config::Config& config,
    ApplySecurity apply,
    Configure configure,
    HasShare has_share
)
    : options_(std::move(options)),
      apply_(std::move(apply)),
      configure_(std::move(configure)),
      has_share_(std::move(has_share)),
      state_{.started = config, .current = config, .file = config} {}

LiveConfig::Changes LiveConfig::refuse(const std::string& problem) {
    spdlog::error("reload refused, nothing changed: {}", problem);
    const std::lock_guard lock(mutex_);
    ++state_.refused;
    state_.last_worked = false;
    return problem;
}

/// A share that nobody's file speaks of any more would be nobody's to take back.
std::string LiveConfig::objection(const config::Config& before, const config::Config& after) const {
    for (const config::Route& route : before.routes) {
        const std::string name = config::route_name(route);
        const bool kept = std::any_of(
            after.routes.begin(),
            after.routes.end(),
            [&name](const config::Route& each) { return config::route_name(each) == name; }
        );
        if (!kept && has_share_(name)) {
            return "[[route]] " + name +
                   " is gone, and the route still has a share: roll it back first (veer rollback)";
        }
    }
    return {};
}

LiveConfig::Changes LiveConfig::preview() const {
    const State known = state();
    const config::Config& before = known.current;
    const auto loaded = load_config(options_, known.overrides);
    if (!loaded) {
        return to_string(loaded.error());
    }
    if (std::string problem = objection(before, *loaded); !problem.empty()) {
        return problem;
    }
    return config::diff(before, *loaded);
}

LiveConfig::Changes LiveConfig::reload() {
    const std::lock_guard one_at_a_time(reloading_);
    Changes changes = adopt(state().overrides);
    return changes.has_error() ? refuse(changes.error()) : changes;
}

LiveConfig::Changes LiveConfig::set(const std::string& key, const std::string& value) {
    const std::lock_guard one_at_a_time(reloading_);
    std::vector<config::Override> overrides = state().overrides;
    std::erase_if(overrides, [&key](const auto& each) { return each.key == key; });
    overrides.push_back({.key = key, .value = value});
    return as_the_file_was() ? adopt(std::move(overrides)) : Changes(file_has_changed);
}

LiveConfig::Changes LiveConfig::reset(const std::string& key) {
    const std::lock_guard one_at_a_time(reloading_);
    std::vector<config::Override> overrides = state().overrides;
    std::erase_if(overrides, [&key](const auto& each) { return each.key == key; });
    return as_the_file_was() ? adopt(std::move(overrides)) : Changes(file_has_changed);
}

/// One key is to change, and not with it what somebody is about to write into the file.
bool LiveConfig::as_the_file_was() const {
    const auto file = load_config(options_);
    return file && config::diff(state().file, *file).empty();
}

LiveConfig::Changes LiveConfig::adopt(std::vector<config::Override> overrides) {
    const State known = state();
    const config::Config& before = known.current;
    const auto file = load_config(options_);
    auto loaded = file ? load_config(options_, overrides) : file;
    if (!loaded) {
        return to_string(loaded.error());
    }
    if (const std::string problem = objection(before, *loaded); !problem.empty()) {
        return problem;
    }
    // What takes effect at the next start only must not take part in what takes effect now.
    config::Config effective = *loaded;
    effective.upstream = known.started.upstream;
    if (const std::string problem = apply_(effective); !problem.empty()) {
        return problem;
    }
    std::vector<config::Change> changes = config::diff(before, *loaded);
    for (const config::Change& change : changes) {
        spdlog::info(
            "reload: {} from {} to {}{}",
            change.key,
            change.before,
            change.after,
            change.restart_required ? " (takes effect at the next start)" : ""
        );
    }
    configure_(*loaded);
    spdlog::info("configuration reloaded");
    const std::lock_guard lock(mutex_);
    state_.current = *std::move(loaded);
    state_.file = *file;
    state_.overrides = std::move(overrides);
    ++state_.reloads;
    state_.last_worked = true;
    return changes;
}

LiveConfig::State LiveConfig::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

}  // namespace veer::proxy
