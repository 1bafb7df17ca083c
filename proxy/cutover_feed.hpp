#pragma once

#include "index/replica.hpp"
#include "router/cutover/sampling.hpp"
#include "router/router.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

namespace veer::proxy {

/// Tells the cutover's guards how veer and the server behind it are, and its gates when what was
/// compared is about a copy that is served no more. Reads and passes on; what follows from it is
/// worked out in router/cutover (sampling.hpp, guards.hpp).
class CutoverFeed {
  public:
    struct Parts {
        router::Router& router;
        const index::Replica& replica;
        std::uint64_t memory_bytes_max = 0;  ///< of all indexes
        std::function<void()> nudge;         ///< makes the server flush its log
    };

    explicit CutoverFeed(Parts parts);

    /// From any thread.
    void note(const router::cutover::UpstreamLook& look, router::cutover::Time at);
    std::optional<router::cutover::UpstreamLook> last(router::cutover::Time now) const;

    /// About ten times a second, from one thread.
    void tick(router::cutover::Time now);

  private:
    Parts parts_;
    mutable std::mutex mutex_;
    router::cutover::Sampler sampler_;  // under mutex_
    router::cutover::CopyWatch copies_;
};

}  // namespace veer::proxy
