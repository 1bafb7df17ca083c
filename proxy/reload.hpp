#pragma once

#include "config/diff.hpp"
#include "config/parse.hpp"
#include "proxy/run.hpp"

#include <boost/system/result.hpp>

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace veer::proxy {

/// Makes what a configuration says of certificates, secrets and users hold; a sentence where that
/// failed, and then nothing has changed.
using ApplySecurity = std::function<std::string(const config::Config&)>;

/// Makes the rest of a configuration hold.
using Configure = std::function<void(const config::Config&)>;

/// Whether the index answers, or may answer, some searches of the route with this name.
using HasShare = std::function<bool(const std::string& route)>;

/// The configuration of a running process: what it started with, what the file said last, and what
/// operators have set in its place.
///
/// Thread-safe; one reload at a time.
class LiveConfig {
  public:
    /// `configure` is told of what holds from now on, and cannot fail.
    LiveConfig(
        RunOptions options,
        const config::Config& config,
        ApplySecurity apply,
        Configure configure,
        HasShare has_share
    );

    using Changes = boost::system::result<std::vector<config::Change>, std::string>;

    /// Reads the file again, all or nothing, and says so in the log. A sentence where it was
    /// refused: also where a [[route]] is gone that still has a share.
    Changes reload();

    /// Lets a key hold another value than the file's until it is reset() or the process ends, by
    /// the same rules. A reload keeps it. Refused as well where the file is not what was read last:
    /// one key is to change, and no other with it.
    Changes set(const std::string& key, const std::string& value);
    Changes reset(const std::string& key);

    /// What a reload would change, and whether it would be refused, as far as the file alone tells.
    Changes preview() const;

    struct State {
        config::Config started;  ///< what needs a restart is as here
        config::Config current;  ///< everything else
        config::Config file;     ///< what the file alone says
        std::vector<config::Override> overrides = {};
        std::uint64_t reloads = 0;
        std::uint64_t refused = 0;
        bool last_worked = true;
    };

    State state() const;

  private:
    Changes adopt(std::vector<config::Override> overrides);
    bool as_the_file_was() const;
    Changes refuse(const std::string& problem);
    std::string objection(const config::Config& before, const config::Config& after) const;

    const RunOptions options_;
    const ApplySecurity apply_;
    const Configure configure_;
    const HasShare has_share_;
    std::mutex reloading_;
    mutable std::mutex mutex_;
    State state_;  // under mutex_
};

}  // namespace veer::proxy
