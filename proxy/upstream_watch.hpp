#pragma once

#include "router/cutover/sampling.hpp"
#include "storage/source/wake.hpp"

#include <functional>
#include <string>
#include <thread>

namespace veer::proxy {

/// Asks the server every second how far it is, what veer's slot holds back, and how many
/// connections it has, on a thread and a connection of its own. Decides nothing; while the server
/// does not answer it tells nothing.
class UpstreamWatch {
  public:
    struct Parts {
        std::string dsn;
        std::function<std::string()> slot;  ///< its name; empty while it is not known
        /// Is told on the watching thread.
        std::function<void(const router::cutover::UpstreamLook&)> seen;
    };

    explicit UpstreamWatch(Parts parts);
    UpstreamWatch(const UpstreamWatch&) = delete;
    UpstreamWatch& operator=(const UpstreamWatch&) = delete;

    ~UpstreamWatch() { stop(); }

    void start();
    void stop();

  private:
    void watch();

    Parts parts_;
    storage::source::Wake wake_;
    std::thread thread_;
};

}  // namespace veer::proxy
