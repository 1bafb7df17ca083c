#pragma once

#include "router/cutover/evidence.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace veer::router::cutover {

/// What the server behind veer said when it was asked last.
struct UpstreamLook {
    std::uint64_t position = 0;  ///< LSN up to which its log is written, and can be streamed
    std::optional<std::uint64_t> wal_retained_bytes = std::nullopt;  ///< for veer's slot
    std::uint64_t connections = 0;
    std::uint64_t connections_max = 0;
};

/// What veer knows of itself.
struct OwnLook {
    std::uint64_t applied = 0;  ///< LSN up to which the copy has everything
    std::uint64_t memory_bytes = 0;
    std::uint64_t memory_bytes_max = 0;  ///< 0: no bound
};

/// For how long the copy has lacked something that the server has. Bytes say nothing of that: a
/// large transaction is not an old one.
///
///     the server was at   100      140      190            applied: 120
///     at the time of      12.0     13.0     14.0   now 14.5
///                                  └─ the oldest position not applied: lag is 1.5 s
///
/// The lag found is never too long, and too short by at most the time between two looks that are
/// remembered: every one, until there is no room; then 128 of them or more, evenly.
///
/// A server whose positions go back (restored, or another took over) has nothing of what was
/// beyond.
class LagMeter {
  public:
    void note(std::uint64_t position, Time at);

    /// Nothing before the first look, and where the last one is old and says nothing against it.
    std::optional<Duration> lag(std::uint64_t applied, Time now);

    /// A look that is older than this tells nothing about now.
    static constexpr Duration stale_after = std::chrono::seconds(10);

  private:
    struct Seen {
        std::uint64_t position;
        Time at;
    };

    static constexpr std::size_t kept_max = 256;

    void thin_out();

    std::deque<Seen> ahead_;  // of the copy, oldest first; the last is the newest look
    Duration spacing_{0};     // of those that are remembered, at least
    std::optional<Time> last_;
};

/// Makes gauges of looks. What nobody could tell stays unknown.
class Sampler {
  public:
    void note(const UpstreamLook& look, Time at);

    Gauges gauges(const OwnLook& own, Time now);

    /// The copy seems to be behind, and perhaps only waits for the rest of a record that the server
    /// has written half: a flush tells. At most once a second.
    bool flush_due(const Gauges& gauges, Time now);

    /// The last look, while it tells something about now.
    std::optional<UpstreamLook> last(Time now) const;

  private:
    LagMeter lag_;
    std::optional<UpstreamLook> look_;
    Time at_;
    Time flushed_at_;
};

/// Whether evidence still speaks of the copy that is served.
class CopyWatch {
  public:
    struct Copy {
        std::shared_ptr<const void> index;  ///< whose identity counts
        std::uint64_t rebuilds = 0;         ///< how often that one was built anew
        bool restored = false;              ///< from a checkpoint: the one from before the restart
        std::size_t engine = 0;             ///< which other server answers in its place; 0: none
    };

    /// Why what was compared before proves nothing about this copy of the route; empty where it
    /// does. Requires a copy that is served.
    std::string changed(const std::string& route, const Copy& copy);

  private:
    struct Known {
        std::weak_ptr<const void> index;
        std::uint64_t rebuilds = 0;
        std::size_t engine = 0;
    };

    std::map<std::string, Known> known_;
};

}  // namespace veer::router::cutover
