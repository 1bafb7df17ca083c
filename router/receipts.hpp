#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace veer::router {

/// Why one search went where it went.
struct Receipt {
    std::int64_t at_ns = 0;  ///< of the clock that sessions go by
    std::string route;
    std::string engine;
    std::string reason;
    std::string key;  ///< veer.key, or a hint's
    std::string role;
    std::string application;
    std::uint64_t shape = 0;
    double percent = 0;  ///< the route's share then
    double bucket = 0;   ///< the search's place, 0 to 1, by the route's own key
    std::optional<double> milliseconds = std::nullopt;  ///< where veer answered
    bool sampled = false;                               ///< to be compared, unless it is shed
};

/// The last decisions: what support asks for when somebody wonders about one search. Thread-safe;
/// bounded, and gone with the process.
class Receipts {
  public:
    static constexpr std::size_t kept_max = 1000;
    static constexpr std::size_t text_max = 64;

    /// Longer texts are cut. Where another session writes at this moment it is let go: nobody
    /// waits.
    void add(Receipt receipt);

    /// Latest first.
    std::vector<Receipt> latest() const;

  private:
    mutable std::mutex mutex_;
    std::vector<Receipt> ring_;
    std::size_t next_ = 0;
};

}  // namespace veer::router
