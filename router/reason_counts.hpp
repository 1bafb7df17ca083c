#pragma once

#include "router/reason.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

/// How often searches went where, and why, since the start. Thread-safe; there are as many entries
/// as there are routes and codes of reasons, and never more than `entries_max`.
class ReasonCounts {
  public:
    static constexpr std::size_t entries_max = 4096;

    struct Entry {
        std::string route;  ///< empty where the search belonged to none
        std::string engine;
        std::string reason;
        std::uint64_t calls = 0;
    };

    void count(std::string_view route, std::string_view engine, Reason reason);

    std::vector<Entry> entries() const;

  private:
    using Reasons = std::map<std::string, std::uint64_t, std::less<>>;
    using Engines = std::map<std::string, Reasons, std::less<>>;

    mutable std::mutex mutex_;
    std::map<std::string, Engines, std::less<>> routes_;
    std::size_t entries_ = 0;
};

}  // namespace veer::router
