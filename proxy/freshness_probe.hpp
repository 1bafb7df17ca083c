#pragma once

#include "router/freshness.hpp"
#include "storage/lsn.hpp"
#include "storage/source/wake.hpp"

#include <functional>
#include <string>
#include <thread>

namespace veer::proxy {

/// Asks the server twenty times a second how far its log is, while a search is bounded by the age
/// of the copy (FreshnessGauge), on a thread and a connection of its own. While nobody wants to
/// know, and while the server does not answer, it tells nothing: then the copy's age is not known,
/// and Postgres answers.
class FreshnessProbe {
  public:
    struct Parts {
        std::string dsn;
        router::FreshnessGauge& gauge;
        std::function<storage::Lsn()> applied;
        std::function<void()> nudge;  ///< the copy may wait for what is written and not flushed
    };

    explicit FreshnessProbe(Parts parts);
    FreshnessProbe(const FreshnessProbe&) = delete;
    FreshnessProbe& operator=(const FreshnessProbe&) = delete;

    ~FreshnessProbe() { stop(); }

    void start();
    void stop();

  private:
    using Duration = router::FreshnessGauge::Duration;

    void probe();
    void nudge_if_late(Duration now);

    Parts parts_;
    Duration nudged_{0};
    storage::source::Wake wake_;
    std::thread thread_;
};

}  // namespace veer::proxy
