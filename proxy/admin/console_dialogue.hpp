#pragma once

#include "proxy/admin/access.hpp"
#include "proxy/admin/operations.hpp"
#include "proxy/net/dialogue.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace veer::proxy::admin {

/// The way into the console: says whose connections are veer's own, and makes their dialogues.
/// Thread-safe; outlives them all, as do the operations.
class ConsoleEntrance {
  public:
    ConsoleEntrance(Operations& operations, std::string version);

    /// Who may come in, from now on.
    void configure(std::shared_ptr<const Access> access);

    /// See net::MakeDialogue.
    std::unique_ptr<net::Dialogue> make(
        const net::Caller& caller, const wire::StartupMessage& startup, net::Wake wake
    );

  private:
    std::shared_ptr<const Access> access() const;

    Operations& operations_;
    std::string version_;
    std::atomic<std::uint32_t> sessions_ = 0;
    mutable std::mutex mutex_;
    std::shared_ptr<const Access> access_ = std::make_shared<const Access>();
};

}  // namespace veer::proxy::admin
