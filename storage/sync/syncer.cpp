#include "storage/sync/syncer.hpp"

#include "storage/source/wake.hpp"
#include "storage/store/store.hpp"
#include "storage/sync/flush_nudge.hpp"
#include "storage/sync/join_schedule.hpp"
#include "storage/sync/progress.hpp"
#include "storage/sync/retry.hpp"
#include "storage/sync/session.hpp"
#include "storage/sync/stumble.hpp"
#include "storage/sync/wal_guard.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <thread>

namespace veer::storage::sync {

namespace {

using std::chrono::milliseconds;

/// Where rights or an index are missing, a person is about to change that, and watches.
constexpr milliseconds poll_max{2'000};

}  // namespace

class Syncer::Impl {
  public:
    Impl(SyncOptions options, Observer& observer)
        : options_{std::move(options)},
          progress_{observer},
          flush_{options_.dsn},
          guard_{{options_.dsn, options_.wal_keep_max, options_.catalogue_every, &wake_}},
          patrol_{
              {options_.verify_rows_per_second, options_.verify_every},
              verify::Patrol::Clock::now()},
          retry_{std::min(poll_max, options_.catalogue_every)} {}

    void start() {
        thread_ = std::thread{[this] {
            run();
        }};
    }

    void stop() {
        wake_.wake();
        if (thread_.joinable()) {
            thread_.join();
        }
    }

    void nudge() { flush_.request(); }

    VerifyDesk& desk() { return desk_; }

    std::string slot() const { return guard_.slot(); }

  private:
    void run() {
        while (!wake_.woken()) {
            life_ = {};
            started_ = false;
            Error error = live();
            if (wake_.woken()) {
                break;
            }
            Stumble::Verdict verdict{error};
            if (started_) {
                verdict = stumble_.judge(error, progress_.position(), Stumble::Clock::now());
                error = verdict.error;
            }
            const std::optional<std::string> dropped = guard_.take_dropped();
            if (dropped.has_value()) {
                error = {Errc::gone, *dropped};
                last_error_ = *dropped;  // the guard has logged it
            }
            if (error.message != last_error_) {
                spdlog::warn("sync: {}", error.message);
            }
            last_error_ = life_.streamed > milliseconds{0} ? "" : error.message;
            progress_.enter(Phase::waiting, error.message);
            if (error.code == Errc::gone) {
                start_over_ = error.message;
            }
            if (error.code == Errc::disk) {
                store_.reset();
            }
            life_.ended = error.code;
            life_.dropped = dropped.has_value();
            wake_.sleep(std::max(verdict.wait, retry_.after(life_)));
        }
        if (store_.has_value()) {
            if (auto synced = store_->sync(); !synced.has_value()) {
                spdlog::error("sync: {}", synced.error().message);
            }
            store_.reset();
        }
    }

    /// One attempt. The libraries below may throw where memory runs out; here that ends.
    Error live() {
        std::optional<Session> session;
        Error error = live(session);
        if (session.has_value()) {
            life_ = session->life();
            started_ = session->started();
        }
        if (life_.streamed > milliseconds{0}) {
            start_over_.reset();
        }
        return error;
    }

    Error live(std::optional<Session>& session) {
        try {
            if (!store_.has_value()) {
                auto opened = store::Store::open(options_.directory);
                if (!opened.has_value()) {
                    return opened.error();
                }
                store_.emplace(std::move(*opened));
            }
            session.emplace(Session::Context{
                options_,
                *store_,
                progress_,
                wake_,
                guard_,
                flush_,
                desk_,
                patrol_,
                schedule_,
                last_refusals_});
            return session->run(start_over_);
        } catch (const std::exception& thrown) {
            return {Errc::unexpected, std::string{"The sync failed: "} + thrown.what() + "."};
        }
    }

    SyncOptions options_;
    Progress progress_;
    FlushNudge flush_;
    source::Wake wake_;
    WalGuard guard_;
    VerifyDesk desk_;
    verify::Patrol patrol_;
    std::optional<store::Store> store_;
    std::optional<std::string> start_over_;
    std::string last_refusals_;
    std::string last_error_;  ///< logged last, while nothing works: said once, not at every attempt
    JoinSchedule schedule_;
    Retry retry_;
    Retry::Life life_;  ///< of the last session
    bool started_ = false;
    Stumble stumble_;
    std::thread thread_;
};

Syncer::Syncer(SyncOptions options, Observer& observer)
    : impl_{std::make_unique<Impl>(std::move(options), observer)} {}

Syncer::~Syncer() {
    impl_->stop();
}

void Syncer::start() {
    impl_->start();
}

void Syncer::stop() {
    impl_->stop();
}

void Syncer::nudge() {
    impl_->nudge();
}

void Syncer::verify(const VerifyRequest& request, VerifyDone done) {
    impl_->desk().ask(request, std::move(done));
}

std::vector<VerifiedTable> Syncer::verified() const {
    return impl_->desk().counted();
}

std::string Syncer::slot() const {
    return impl_->slot();
}

}  // namespace veer::storage::sync
