#pragma once

#include "config/diff.hpp"
#include "index/replica.hpp"
#include "proxy/admin/operations.hpp"
#include "proxy/compare/comparer.hpp"
#include "proxy/compare/golden_keeper.hpp"
#include "proxy/cutover_feed.hpp"
#include "proxy/drills.hpp"
#include "proxy/net/server.hpp"
#include "proxy/net/shared.hpp"
#include "proxy/reload.hpp"
#include "proxy/server_look.hpp"
#include "router/compare/calibration.hpp"
#include "router/compare/ignored.hpp"
#include "router/router.hpp"
#include "storage/sync/syncer.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace veer::proxy {

/// The parts of a process, as the console looks at them and moves them.
class ProcessOperations final : public admin::Operations {
  public:
    struct Parts {
        router::Router& router;
        const index::Replica& replica;
        net::Shared& shared;
        net::Server& server;
        LiveConfig& config;
        storage::sync::Syncer& syncer;
        const CutoverFeed& feed;
        Drills& drills;
        compare::GoldenKeeper& golden;
        compare::Comparer& comparer;
        router::compare::Ignored& ignored;
        std::function<router::cutover::Time()> now;  ///< as the cutover means it
        ServerLook& server_look;
        /// Runs a task that reads files, where guards and signals wait for it: nothing that asks
        /// another server.
        std::function<void(std::function<void()>)> aside;
        std::string version;
    };

    explicit ProcessOperations(Parts parts);

    void look(std::function<void(admin::Snapshot)> done) override;
    void carry_out(
        const admin::Command& command,
        const admin::Actor& actor,
        std::function<void(admin::Outcome)> done
    ) override;

  private:
    admin::Snapshot gather() const;
    void add_routes(const std::vector<router::cutover::RouteView>& views, admin::Snapshot& snapshot)
        const;
    void add_reasons(admin::Snapshot& snapshot) const;
    void add_golden(admin::Snapshot& snapshot) const;
    void add_config(admin::Snapshot& snapshot) const;
    void add_receipts(admin::Snapshot& snapshot) const;
    void add_ignored(admin::Snapshot& snapshot) const;
    admin::Outcome set_key(const admin::Command& command, const admin::Actor& actor);
    admin::Outcome ignore(const admin::Command& command, const admin::Actor& actor);
    void move(
        const admin::Command& command,
        const admin::Actor& actor,
        std::function<void(admin::Outcome)> done
    );
    std::string route_named(const std::string& name) const;
    std::string drop_advice(const std::string& name) const;
    admin::Outcome reload(bool dry_run);
    void replay(const admin::Command& command, std::function<void(admin::Outcome)> done);
    void compare_search(const admin::Command& command, std::function<void(admin::Outcome)> done);
    void doctor(const std::function<void(admin::Outcome)>& done);
    admin::Outcome mismatch(const admin::Command& command) const;
    admin::Outcome rebuild(const admin::Command& command, const admin::Actor& actor);
    void calibrate(const admin::Command& command, std::function<void(admin::Outcome)> done);
    struct Calibrating;
    void calibrate_next(const std::shared_ptr<Calibrating>& run);
    void tune(const admin::Command& command, std::function<void(admin::Outcome)> done);
    void verify(const admin::Command& command, std::function<void(admin::Outcome)> done);
    void drill(
        const admin::Command& command,
        const admin::Actor& actor,
        std::function<void(admin::Outcome)> done
    );
    std::optional<storage::TableOid> table_named(const std::string& name) const;

    Parts parts_;
    std::int64_t started_at_;
};

/// What a reload, a SET or a RESET has changed.
std::vector<admin::Row> rows_of(const std::vector<config::Change>& changes);

}  // namespace veer::proxy
