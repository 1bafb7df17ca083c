#pragma once

#include "config/diff.hpp"
#include "config/parse.hpp"
#include "proxy/run.hpp"
#include "router/router.hpp"

#include <boost/system/result.hpp>

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace veer::proxy {

/// Makes what a configuration says of certificates, secrets and users hold; a sentence where that
/// failed, and then nothing has changed.
using ApplySecurity = std::function<std::string(const config::Config&)>;

/// The configuration of a running process: what it started with, and what the file said last.
///
/// Thread-safe; one reload at a time.
class LiveConfig {
  public:
    LiveConfig(
        RunOptions options, config::Config config, router::Router& router, ApplySecurity apply
    );

    using Changes = boost::system::result<std::vector<config::Change>, std::string>;

    /// Reads the file again, all or nothing, and says so in the log. A sentence where it was
    /// refused.
    Changes reload();

    struct State {
        config::Config started;  ///< what needs a restart is as here
        config::Config current;  ///< everything else
        std::uint64_t reloads = 0;
        std::uint64_t refused = 0;
        bool last_worked = true;
    };

    State state() const;

  private:
    Changes refuse(const std::string& problem);

    const RunOptions options_;
    router::Router& router_;
    const ApplySecurity apply_;
    std::mutex reloading_;
    mutable std::mutex mutex_;
    State state_;  // under mutex_
};

}  // namespace veer::proxy
