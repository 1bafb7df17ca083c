#include "router/cutover/drill.hpp"

#include "router/cutover/moves.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace veer::router::cutover {

namespace {

using Outcome = DrillFindings::Outcome;

constexpr double found_of_neighbours = 0.5;
constexpr double never_so_slow_ms = 1e9;
constexpr double usual_ms = 10;  // where Postgres' own durations are not known yet

constexpr std::array<std::pair<Fault, std::string_view>, 4> names{{
    {Fault::neighbours, "neighbours"},
    {Fault::wrong, "wrong"},
    {Fault::slow, "slow"},
    {Fault::lag, "lag"},
}};

double milliseconds(std::chrono::microseconds duration) {
    return static_cast<double>(duration.count()) / 1000;
}

}  // namespace

std::string_view to_string(Fault fault) {
    for (const auto& [each, name] : names) {
        if (each == fault) {
            return name;
        }
    }
    return "";
}

std::optional<Fault> fault_from_text(std::string_view text) {
    for (const auto& [fault, name] : names) {
        if (name == text) {
            return fault;
        }
    }
    return std::nullopt;
}

Rehearsal::Rehearsal(Fault fault, Position position, Guards guards)
    : fault_(fault), position_(std::move(position)), guards_(std::move(guards)) {}

void Rehearsal::step(const config::Cutover& policy, const config::Guards& levels, Time now) {
    if (fault_ != Fault::lag) {
        while (!closed() && answers_ < answers_max) {
            compare(policy, levels, now);
        }
        return;
    }
    const Gauges behind{.lag = levels.lag_max + Duration(1)};
    for (const Trouble& trouble : guards_.on_gauges(behind, now)) {
        act(trouble);
    }
}

/// One made-up comparison, and what the guards make of it.
void Rehearsal::compare(const config::Cutover& policy, const config::Guards& levels, Time now) {
    Comparison made_up;
    switch (fault_) {
        case Fault::neighbours:
            made_up.recall = found_of_neighbours;
            break;
        case Fault::wrong:
            made_up.hard = HardDifference::filter_violation;
            made_up.shape = answers_;  // one shape would only be quarantined
            break;
        case Fault::slow:
            made_up.veer_ms = never_so_slow_ms;
            if (!guards_.slow(made_up)) {
                made_up.postgres_ms = usual_ms;
            }
            break;
        case Fault::lag:
            break;
    }
    ++answers_;
    for (const Trouble& trouble : guards_.on_comparison(made_up)) {
        act(trouble);
        if (auto wanted = after_trouble(position_, trouble, policy, levels, now)) {
            const bool lowered = wanted->allowed() < position_.allowed();
            position_ = *std::move(wanted);
            if (lowered) {
                guards_.begin_anew();  // as a real step down does
            }
        }
    }
}

void Rehearsal::act(const Trouble& trouble) {
    guard_ = trouble.guard;
    why_ = std::string(to_string(trouble.action)) + ": " + trouble.why;
}

std::optional<Duration> time_for(std::uint64_t answers, const Evidence& evidence) {
    if (answers == 0 || evidence.compared < 2 || *evidence.last <= *evidence.first) {
        return std::nullopt;
    }
    return (*evidence.last - *evidence.first) * answers / (evidence.compared - 1);
}

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::rolled_back:
            return "rolled_back";
        case Outcome::no_traffic:
            return "no_traffic";
        case Outcome::not_noticed:
            return "not_noticed";
        case Outcome::still_index:
            return "still_index";
        case Outcome::interrupted:
            return "interrupted";
    }
    return "interrupted";
}

std::string to_text(const DrillFindings& findings) {
    std::string text(to_string(findings.outcome));
    char part[160];
    if (findings.share_zero) {
        std::snprintf(
            part, sizeof part, ", share 0 after %.3f ms", milliseconds(*findings.share_zero)
        );
        text += part;
    }
    if (findings.confirmed) {
        std::snprintf(
            part, sizeof part, ", confirmed after %.3f ms", milliseconds(*findings.confirmed)
        );
        text += part;
    }
    std::snprintf(
        part,
        sizeof part,
        "; searches to Postgres %llu, late answers %llu, fallbacks %llu, client errors %llu",
        static_cast<unsigned long long>(findings.diverted),
        static_cast<unsigned long long>(findings.late),
        static_cast<unsigned long long>(findings.fallbacks),
        static_cast<unsigned long long>(findings.client_errors)
    );
    return text + part;
}

bool DrillWatch::note(const Counts& counts, bool running, bool closed, Elapsed elapsed) {
    if (counts.veer != last_.veer) {
        last_of_index_ = elapsed;
        findings_.late += findings_.share_zero ? counts.veer - last_.veer : 0;
    }
    last_ = counts;
    findings_.diverted = counts.diverted - before_.diverted;
    findings_.fallbacks = counts.fallbacks - before_.fallbacks;
    findings_.client_errors = counts.client_errors - before_.client_errors;
    if (findings_.diverted > 0 && !first_diverted_) {
        first_diverted_ = elapsed;
    }
    if (!running) {
        return end(Outcome::interrupted);
    }
    if (!closed) {
        return elapsed >= notice_max_ && end(Outcome::not_noticed);
    }
    findings_.share_zero = findings_.share_zero.value_or(elapsed);
    const bool settled = elapsed - std::max(last_of_index_, *findings_.share_zero) >= quiet;
    if (settled && first_diverted_) {
        findings_.confirmed = std::max({*findings_.share_zero, last_of_index_, *first_diverted_});
        return end(Outcome::rolled_back);
    }
    if (elapsed - *findings_.share_zero < patience) {
        return false;
    }
    return end(settled ? Outcome::no_traffic : Outcome::still_index);
}

bool DrillWatch::end(Outcome outcome) {
    findings_.outcome = outcome;
    return true;
}

}  // namespace veer::router::cutover
