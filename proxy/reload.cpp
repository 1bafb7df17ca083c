#include "proxy/reload.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace veer::proxy {

LiveConfig::LiveConfig(
    RunOptions options, const config::Config& config, ApplySecurity apply, Configure configure
)
    : options_(std::move(options)),
      apply_(std::move(apply)),
      configure_(std::move(configure)),
      state_{.started = config, .current = config} {}

LiveConfig::Changes LiveConfig::refuse(const std::string& problem) {
    spdlog::error("reload refused, nothing changed: {}", problem);
    const std::lock_guard lock(mutex_);
    ++state_.refused;
    state_.last_worked = false;
    return problem;
}

LiveConfig::Changes LiveConfig::reload() {
    const std::lock_guard one_at_a_time(reloading_);
    const State known = state();
    const config::Config& before = known.current;
    auto loaded = load_config(options_);
    if (!loaded) {
        return refuse(to_string(loaded.error()));
    }
    // What takes effect at the next start only must not take part in what takes effect now.
    config::Config effective = *loaded;
    effective.upstream = known.started.upstream;
    if (const std::string problem = apply_(effective); !problem.empty()) {
        return refuse(problem);
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
    ++state_.reloads;
    state_.last_worked = true;
    return changes;
}

LiveConfig::State LiveConfig::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

}  // namespace veer::proxy
