#pragma once

#include "proxy/net/upstreams.hpp"
#include "storage/source/wake.hpp"

#include <string>
#include <thread>
#include <vector>

namespace veer::proxy::net {

/// Looks every second what each host of the DSN is, with a connection of veer's own to each, and
/// tells Upstreams. Does nothing where the DSN names one host, or takes any.
class HostWatch {
  public:
    HostWatch(std::string dsn, Upstreams& upstreams);
    HostWatch(const HostWatch&) = delete;
    HostWatch& operator=(const HostWatch&) = delete;

    ~HostWatch() { stop(); }

    void start();
    void stop();

  private:
    void watch(const Endpoint& host);

    std::string dsn_;
    Upstreams& upstreams_;
    storage::source::Wake wake_;
    std::vector<std::thread> threads_;
};

}  // namespace veer::proxy::net
