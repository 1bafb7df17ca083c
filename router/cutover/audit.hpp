#pragma once

#include "config/cutover.hpp"
#include "router/cutover/gates.hpp"
#include "router/cutover/state.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace veer::router::cutover {

/// A cryptographic hash, as hexadecimal text. Given from outside: SHA-256 in the proxy.
using Hash = std::function<std::string(std::string_view)>;

/// One decision, with what it rests on. A line of the audit file:
///
///     {"seq":2,"at":1793372527114,"actor":"alice","via":"console","action":"promote",
///      "route":"public.documents.embedding <=>","revision":42,"from":"canary 5","to":"canary 25",
///      "reason":"staff looked at it","wanted":"recall_min=0.98 ...","evidence":"compared=4812
///      ...", "verdict":"pass","prev":"b81e..."}
///
/// 1. `previous` is the hash of the line before, as it was written; the first has an empty one. So
///    no line can be changed, left out or put in between without the following ones showing it.
/// 2. `verdict` is verdict(gates(evidence, wanted, at)), which verify() recomputes.
struct AuditRecord {
    std::uint64_t seq = 0;
    Time at;
    std::string actor;
    std::string via;
    std::string action;
    std::string route;
    std::uint64_t revision = 0;
    std::string from;
    std::string to;
    std::string reason;
    std::string wanted;    ///< the gates at that time; empty where none were asked
    std::string evidence;  ///< empty where none was looked at
    std::string verdict;
    std::string previous;
    std::string hash = {};  ///< of its own line, which does not have it; empty where not written

    friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

/// A JSON object on one line, without its line feed.
std::string to_line(const AuditRecord& record);
std::optional<AuditRecord> audit_from_line(std::string_view line);

/// "canary 25": a position as the audit writes it.
std::string position_text(State state, double percent);

/// The gates' settings as the audit keeps them.
std::string wanted_text(const config::Gates& gates, Duration age_max);

/// A line of the audit as the stored state knows it.
struct AuditHead {
    std::uint64_t seq = 0;
    std::string hash;
};

/// What checking an audit file found.
struct Verified {
    bool holds = false;
    std::uint64_t records = 0;
    std::uint64_t verdicts = 0;  ///< of them, those whose evidence gave their verdict again
    std::uint64_t line = 0;      ///< of the first problem
    std::string problem;
};

/// Checks the chain, the numbering and every verdict of a whole file. `head` is what the stored
/// state says; lines may follow it, for they are written first. Without it lines that were cut off
/// at the end go unnoticed.
Verified verify(
    std::string_view file, const Hash& hash, const std::optional<AuditHead>& head = std::nullopt
);

}  // namespace veer::router::cutover
