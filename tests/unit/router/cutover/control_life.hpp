#pragma once

#include "router/cutover/control.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace veer::router::cutover {

inline const std::string name = "public.documents.embedding <=>";
inline const Operator alice{.name = "alice", .via = "console"};

inline Time at(std::int64_t seconds) {
    return Time(std::chrono::seconds(1'000'000 + seconds));
}

inline std::string hash(std::string_view text) {
    return std::to_string(std::hash<std::string_view>()(text));
}

/// A disk that outlives the process, and may be full.
struct Disk {
    std::string state;
    std::string audit;
    std::string problem;

    std::string last_line() const {
        if (audit.empty()) {
            return {};
        }
        const std::size_t before = audit.rfind('\n', audit.size() - 2);
        const std::size_t begin = before == std::string::npos ? 0 : before + 1;
        return audit.substr(begin, audit.size() - begin - 1);
    }

    Keeper keeper() {
        return {
            .save_state =
                [this](const std::string& text) {
                    state = problem.empty() ? text : state;
                    return problem;
                },
            .append_audit =
                [this](const std::string& line) {
                    audit += problem.empty() ? line + '\n' : "";
                    return problem;
                },
            .hash = hash};
    }
};

/// One life of a veer on that disk.
struct Life {
    explicit Life(Disk& disk, double file_percent = 0, bool gated = false, Time start = at(0)) {
        Policy policy;
        policy.cutover.gated = gated;
        control.configure(policy, {});
        control.connect(disk.keeper());
        problem = control.restore(disk.state, disk.last_line(), start);
        traffic = control.adopt(name, file_percent);
        control.set_live({name});
    }

    Reply say(Command command, Time now, std::optional<std::uint64_t> revision = std::nullopt) {
        command.route = command.route.empty() ? name : command.route;
        std::optional<Reply> said;
        control.apply(command, revision, alice, now, [&](const Reply& reply) { said = reply; });
        control.store();  // another thread may be about to answer
        REQUIRE(said);
        return *said;
    }

    /// In shadow, with automatic steps.
    void step_by_itself() {
        Policy policy;
        policy.cutover.automatic = true;
        control.configure(policy, {});
        CHECK(say({.verb = Verb::shadow}, at(0)).done);
    }

    RouteView view() { return control.routes().at(0); }

    Control control;
    std::shared_ptr<Traffic> traffic;
    std::string problem;
};

inline Comparison perfect() {
    return {
        .recall = 1.0,
        .recall_at_most = 1.0,
        .postgres_recall = 0.93,
        .veer_ms = 1.0,
        .postgres_ms = 5.0};
}

}  // namespace veer::router::cutover
