#pragma once

#include "index/upkeep.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace veer::index {

/// What has been replaced while others may still be using it: kept until they have let go, so that
/// none of them is the one that frees it. Graphs take a while.
///
/// Nobody gets it from here: once nobody else has it, that stays so.
class Retired {
  public:
    /// Without memory for the list, whoever has it last frees it.
    void add(std::shared_ptr<const void> one) noexcept;

    /// Frees, in this thread, what nobody else has; whether some are left.
    bool sweep();

  private:
    std::mutex mutex_;
    std::vector<std::shared_ptr<const void>> all_;
};

/// The same with a thread that sweeps, while there is something. What nobody else has is freed at
/// once, by whoever retires it.
class Retirement {
  public:
    /// Between two looks.
    static constexpr std::chrono::milliseconds pause{50};

    void add(std::vector<std::shared_ptr<const void>> all) noexcept;

  private:
    Retired retired_;
    Upkeep sweeping_{[this](const std::atomic<bool>& /*stopping*/) {
        return retired_.sweep() ? pause : std::chrono::milliseconds{0};
    }};
};

/// Retires what it is given when it dies: after those who hold it in the same scope.
struct Retiring {
    explicit Retiring(Retirement& retirement) : to{retirement} {}

    Retiring(const Retiring&) = delete;
    Retiring& operator=(const Retiring&) = delete;

    ~Retiring() { to.add(std::move(all)); }

    Retirement& to;
    std::vector<std::shared_ptr<const void>> all;
};

}  // namespace veer::index
