#pragma once

#include "proxy/doctor.hpp"
#include "storage/source/wake.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

namespace veer::proxy {

/// What SHOW DOCTOR asks the server, on a thread of its own: a lock or a server that hangs makes
/// whoever asks wait, and neither guards nor a panic.
///
///     begin() ──▶ thread: read_facts() ──▶ done       another begin() meanwhile: refused
///
/// Invariants:
/// 1. One look at a time, whoever asks.
/// 2. Each ends: by what the server says, at the deadlines of read_facts(), or by stop().
class ServerLook {
  public:
    using Done = std::function<void(storage::Result<DoctorFacts>)>;

    explicit ServerLook(std::string dsn);
    ServerLook(const ServerLook&) = delete;
    ServerLook& operator=(const ServerLook&) = delete;
    ~ServerLook();

    /// `done` is called once, on the thread. False where a look is under way, and after stop().
    bool begin(Done done);

    /// Whoever waits is told before it returns.
    void stop();

  private:
    const std::string dsn_;
    storage::source::Wake wake_;
    std::atomic<bool> under_way_ = false;
    std::mutex posting_;
    boost::asio::thread_pool thread_{1};
};

}  // namespace veer::proxy
