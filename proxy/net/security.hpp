#pragma once

#include "proxy/auth/scram_secret.hpp"
#include "proxy/net/greeting.hpp"
#include "proxy/net/upstream_handshake.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace veer::proxy::net {

/// What a look-up of a user's SCRAM secret came to.
struct SecretAnswer {
    bool available = false;  ///< it could be found out; without a secret there is no such user
    std::optional<auth::ScramSecret> secret;
};

/// Everything that decides how one connection is encrypted and who is let in, of one configuration.
struct Security {
    using Done = std::function<void(SecretAnswer)>;

    std::shared_ptr<const ListenTls> listen = std::make_shared<const ListenTls>();
    UpstreamTls upstream;
    std::string mock_secret;  ///< for users that are not known
    /// Looks a secret up, and calls `done` once, on any thread; empty: there are no secrets.
    std::function<void(const std::string& user, Done done)> secrets;
    std::function<void(const std::string& message)> warn = [](const std::string&) {
    };
};

/// The present Security. A connection takes it once and keeps it.
class SecurityPolicy {
  public:
    std::shared_ptr<const Security> get() const {
        const std::lock_guard lock(mutex_);
        return security_;
    }

    void set(Security security) {
        auto made = std::make_shared<const Security>(std::move(security));
        const std::lock_guard lock(mutex_);
        security_.swap(made);
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Security> security_ = std::make_shared<const Security>();
};

}  // namespace veer::proxy::net
