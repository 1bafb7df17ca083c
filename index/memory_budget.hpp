#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace veer::index {

/// Bytes that all indexes share.
///
/// Invariant: used() <= bytes_max(), whoever takes beside whom.
class MemoryBudget {
  public:
    explicit MemoryBudget(std::uint64_t bytes_max) : bytes_max_{bytes_max} {}

    std::uint64_t bytes_max() const { return bytes_max_; }

    std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

    std::uint64_t left() const { return bytes_max_ - used(); }

    bool take(std::uint64_t bytes) {
        std::uint64_t used = used_.load(std::memory_order_relaxed);
        while (bytes <= bytes_max_ - used) {
            if (used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed)) {
                return true;
            }
        }
        return false;
    }

    void give(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  private:
    const std::uint64_t bytes_max_;
    std::atomic<std::uint64_t> used_{0};
};

/// What one segment has taken of a budget; given back when it dies. One thread
/// takes; any may look.
class MemoryShare {
  public:
    /// Without a budget it may take anything.
    explicit MemoryShare(std::shared_ptr<MemoryBudget> budget) : budget_{std::move(budget)} {}

    MemoryShare(const MemoryShare&) = delete;
    MemoryShare& operator=(const MemoryShare&) = delete;

    ~MemoryShare() {
        if (budget_) {
            budget_->give(bytes());
        }
    }

    std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

    /// Makes it at least so much; says whether the budget had it.
    bool grow_to(std::uint64_t bytes) {
        if (bytes <= this->bytes()) {
            return true;
        }
        if (budget_ && !budget_->take(bytes - this->bytes())) {
            return false;
        }
        bytes_.store(bytes, std::memory_order_relaxed);
        return true;
    }

  private:
    std::shared_ptr<MemoryBudget> budget_;
    std::atomic<std::uint64_t> bytes_{0};
};

/// What this process may use: the machine's memory, or less where a control group limits it.
std::uint64_t memory_allowed_bytes();

}  // namespace veer::index
