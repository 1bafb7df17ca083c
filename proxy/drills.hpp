#pragma once

#include "router/cutover/drill.hpp"
#include "router/router.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace veer::proxy {

/// Rehearsals of a failure, by the clock: looks at a route's counts every millisecond, and does
/// what DrillWatch says of them.
///
///     begin() ──▶ Control::begin_drill()   refused: told at once
///                 step_drill(), note() ... every millisecond, on the io_context
///                 end_drill()              told when the audit has it
///
/// Belongs to the thread of the io_context, but for begin(), which any thread may call.
class Drills {
  public:
    struct Parts {
        boost::asio::io_context& context;
        router::Router& router;
        std::function<router::cutover::Time()> now;
    };

    struct Wanted {
        std::string route = {};
        router::cutover::Fault fault = router::cutover::Fault::neighbours;
        router::cutover::Operator who = {};
        std::string reason = {};                 ///< for the audit
        std::chrono::microseconds notice_max{};  ///< for how long the guards may take
    };

    struct Drilled {
        router::cutover::Reply reply;  ///< where it was refused, why
        router::cutover::DrillLook look;
        router::cutover::DrillFindings findings;
    };

    using Done = std::function<void(const Drilled&)>;

    explicit Drills(Parts parts) : parts_(std::move(parts)) {}

    /// `done` is told once, on any thread; never, where the process ends before.
    void begin(Wanted wanted, Done done);

  private:
    struct Run;

    Parts parts_;
};

}  // namespace veer::proxy
