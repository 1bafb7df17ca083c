#include "proxy/drills.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <utility>

namespace veer::proxy {

namespace {

using router::cutover::DrillWatch;
using router::cutover::Reply;

constexpr std::chrono::milliseconds look_every{1};

}  // namespace

struct Drills::Run : std::enable_shared_from_this<Run> {
    Run(Parts with, Wanted what, Done whom)
        : parts(std::move(with)),
          wanted(std::move(what)),
          done(std::move(whom)),
          timer(parts.context),
          watch(counts(), wanted.notice_max) {}

    DrillWatch::Counts counts() const {
        DrillWatch::Counts now{
            .diverted =
                parts.router.reasons().calls(wanted.route, "postgres", router::reason::drill)};
        for (const router::Route& route : parts.router.routes()->routes) {
            if (route.name == wanted.route) {
                now.veer = route.traffic->veer.load();
                now.fallbacks = route.traffic->fallbacks.load();
                now.client_errors = route.traffic->client_errors.load();
            }
        }
        return now;
    }

    void begin() {
        drilled.reply =
            parts.router.control().begin_drill(wanted.route, wanted.fault, wanted.who, parts.now());
        if (!drilled.reply.done) {
            done(drilled);
            return;
        }
        begun = std::chrono::steady_clock::now();
        step();
    }

    void step() {
        drilled.look = parts.router.control().step_drill(wanted.route, parts.now());
        const auto elapsed = std::chrono::duration_cast<DrillWatch::Elapsed>(
            std::chrono::steady_clock::now() - begun
        );
        if (watch.note(counts(), drilled.look.running, drilled.look.closed, elapsed)) {
            end();
            return;
        }
        timer.expires_after(look_every);
        timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (!error) {
                self->step();
            }
        });
    }

    void end() {
        drilled.findings = watch.findings();
        std::string found = to_text(drilled.findings);
        found += wanted.reason.empty() ? "" : "; " + wanted.reason;
        parts.router.control().end_drill(
            wanted.route,
            found,
            wanted.who,
            parts.now(),
            [self = shared_from_this()](const Reply& reply) {
                self->drilled.reply.message = reply.message;
                self->done(self->drilled);
            }
        );
    }

    Parts parts;
    Wanted wanted;
    Done done;
    boost::asio::steady_timer timer;
    std::chrono::steady_clock::time_point begun;
    DrillWatch watch;
    Drilled drilled;
};

void Drills::begin(Wanted wanted, Done done) {
    boost::asio::post(
        parts_.context,
        [run = std::make_shared<Run>(parts_, std::move(wanted), std::move(done))] { run->begin(); }
    );
}

}  // namespace veer::proxy
