#include "proxy/admin/prometheus.hpp"

#include "proxy/admin/value.hpp"

#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>

namespace veer::proxy::admin {

namespace {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

std::string escaped(std::string_view text) {
    std::string label;
    for (const char c : text) {
        if (c == '\n') {
            label += "\\n";
        } else {
            label += c == '"' || c == '\\' ? "\\" : "";
            label += c;
        }
    }
    return label;
}

class Exposition {
  public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        text_ += "# HELP " + name_ + ' ' + std::string(help) + "\n# TYPE " + name_ + ' ' +
                 std::string(type) + '\n';
    }

    void sample(Labels labels, double value) {
        text_ += name_;
        std::string list;
        for (const auto& [label, of] : labels) {
            list += (list.empty() ? "" : ",") + std::string(label) + "=\"" + escaped(of) + '"';
        }
        text_ += list.empty() ? " " : '{' + list + "} ";
        text_ += to_text(Value(value)) + '\n';
    }

    void single(std::string_view name, std::string_view type, std::string_view help, double value) {
        family(name, type, help);
        sample({}, value);
    }

    std::string take() { return std::move(text_); }

  private:
    std::string name_;
    std::string text_;
};

double seconds(std::int64_t microseconds) {
    return static_cast<double>(microseconds) / 1e6;
}

void add_process(const Snapshot& snapshot, Exposition& out) {
    const ProcessFacts& process = snapshot.process;
    out.family("veer_build_info", "gauge", "This veer");
    out.sample({{"version", process.version}}, 1);
    out.single(
        "veer_start_time_seconds", "gauge", "When it was started", seconds(process.started_at)
    );
    out.single("veer_panic_active", "gauge", "All searches go to Postgres", process.panic ? 1 : 0);
    out.family("veer_config_reloads_total", "counter", "Reloads of the configuration");
    out.sample({{"result", "applied"}}, static_cast<double>(process.reloads));
    out.sample({{"result", "refused"}}, static_cast<double>(process.reloads_refused));
    out.single(
        "veer_config_last_reload_successful",
        "gauge",
        "The last reload was applied",
        process.last_reload_worked ? 1 : 0
    );
    out.single(
        "veer_unsent_bytes",
        "gauge",
        "Waiting for slow readers",
        static_cast<double>(process.unsent_bytes)
    );
}

void add_connections(const Snapshot& snapshot, Exposition& out) {
    std::map<std::string, double> clients;
    double servers = 0;
    for (const ClientFacts& client : snapshot.clients) {
        clients[client.state] += 1;
        servers += client.server_address.empty() ? 0 : 1;
    }
    out.family("veer_client_connections", "gauge", "Sessions of clients");
    for (const auto& [state, count] : clients) {
        out.sample({{"state", state}}, count);
    }
    out.single("veer_server_connections", "gauge", "Sessions of Postgres for clients", servers);
    out.single(
        "veer_client_connections_max",
        "gauge",
        "[listen] max_connections",
        static_cast<double>(snapshot.process.clients_max)
    );
}

void add_queries(const Snapshot& snapshot, Exposition& out) {
    out.family("veer_queries_total", "counter", "Searches by who answered them, and why");
    const auto add = [&out](std::string_view route, const std::vector<ReasonCount>& reasons) {
        for (const ReasonCount& each : reasons) {
            out.sample(
                {{"route", route}, {"engine", each.engine}, {"reason", each.reason}},
                static_cast<double>(each.calls)
            );
        }
    };
    for (const RouteFacts& route : snapshot.routes) {
        add(route.name, route.reasons);
    }
    add("", snapshot.reasons);
}

void add_traffic(const Snapshot& snapshot, Exposition& out) {
    out.family("veer_route_state", "gauge", "The state that a route is in");
    for (const RouteFacts& route : snapshot.routes) {
        out.sample({{"route", route.name}, {"state", route.state}}, 1);
    }
    out.family("veer_route_traffic_ratio", "gauge", "Share of searches for the index");
    for (const RouteFacts& route : snapshot.routes) {
        const double all = static_cast<double>(route.veer + route.postgres);
        const double observed = all > 0 ? static_cast<double>(route.veer) / all : 0;
        out.sample({{"route", route.name}, {"kind", "desired"}}, route.desired_percent / 100);
        out.sample({{"route", route.name}, {"kind", "allowed"}}, route.allowed_percent / 100);
        out.sample({{"route", route.name}, {"kind", "effective"}}, route.effective_percent / 100);
        out.sample({{"route", route.name}, {"kind", "observed"}}, observed);
    }
    out.family("veer_route_version", "gauge", "Of the cutover state; 0: none");
    for (const RouteFacts& route : snapshot.routes) {
        out.sample({{"route", route.name}}, static_cast<double>(route.version));
    }
}

/// -1, 0 or 1: against, not known, for.
double number_of(const std::string& verdict) {
    if (verdict == "pass") {
        return 1;
    }
    return verdict == "fail" ? -1 : 0;
}

void add_gates(const Snapshot& snapshot, Exposition& out) {
    const auto add = [&](std::string_view name, std::string_view help, auto value) {
        out.family(name, "gauge", help);
        for (const GateFacts& gate : snapshot.gates) {
            out.sample({{"route", gate.route}, {"gate", gate.gate}}, value(gate));
        }
    };
    add("veer_gate_value", "Measured", [](const GateFacts& gate) { return gate.value; });
    add("veer_gate_bound", "Proven", [](const GateFacts& gate) { return gate.bound; });
    add("veer_gate_threshold", "Wanted", [](const GateFacts& gate) { return gate.threshold; });
    add("veer_gate_verdict", "-1 against, 0 not known, 1 for a raise", [](const GateFacts& gate) {
        return number_of(gate.verdict);
    });
    add("veer_gate_evidence", "For it; 100 is 99 % confidence", [](const GateFacts& gate) {
        return gate.evidence;
    });
    out.family(
        "veer_gate_samples_needed", "gauge", "Comparisons until it opens, where that is known"
    );
    for (const GateFacts& gate : snapshot.gates) {
        if (gate.more_needed) {
            out.sample(
                {{"route", gate.route}, {"gate", gate.gate}}, static_cast<double>(*gate.more_needed)
            );
        }
    }
    out.family("veer_guard_state", "gauge", "0 armed, 1 pending, 2 tripped");
    for (const GuardFacts& guard : snapshot.guards) {
        const double tripped = guard.state == "tripped" ? 2 : 0;
        out.sample(
            {{"route", guard.route}, {"guard", guard.guard}}, guard.state == "pending" ? 1 : tripped
        );
    }
    out.family("veer_guard_trips_total", "counter", "Since the start");
    for (const GuardFacts& guard : snapshot.guards) {
        out.sample(
            {{"route", guard.route}, {"guard", guard.guard}}, static_cast<double>(guard.trips)
        );
    }
}

void add_comparisons(const Snapshot& snapshot, Exposition& out) {
    out.family("veer_compare_total", "counter", "Comparisons by what they came to");
    for (const CompareFacts& all : snapshot.comparisons) {
        const auto sample = [&](std::string_view result, std::uint64_t count) {
            out.sample({{"route", all.route}, {"result", result}}, static_cast<double>(count));
        };
        sample("equal", all.equal);
        sample("excluded", all.excluded);
        sample("hard", all.hard);
        sample("soft", all.compared - all.equal - all.excluded - all.hard);
        sample("shed", all.shed);
        sample("failed", all.failed);
    }
    out.family(
        "veer_recall_mean", "gauge", "Of the compared searches that the exact answer judged"
    );
    for (const RecallFacts& facts : snapshot.recalls) {
        if (facts.judge == "exact" && facts.fingerprint.empty()) {
            out.sample({{"route", facts.route}, {"engine", facts.engine}}, facts.mean);
        }
    }
    out.family("veer_recall_lower_bound", "gauge", "Proven of veer, with [gates] confidence");
    for (const RouteFacts& route : snapshot.routes) {
        if (route.recall_bound) {
            out.sample({{"route", route.name}}, *route.recall_bound);
        }
    }
}

/// What the compared searches differed in, and what was not compared.
void add_differences(const Snapshot& snapshot, Exposition& out) {
    out.family(
        "veer_compare_mismatches_total", "counter", "Comparisons with a difference of a class"
    );
    for (const CompareFacts& all : snapshot.comparisons) {
        const auto sample = [&](std::string_view difference, std::uint64_t count) {
            out.sample({{"route", all.route}, {"class", difference}}, static_cast<double>(count));
        };
        sample("veer_missed", all.veer_missed);
        sample("pg_missed", all.pg_missed);
        sample("both_missed", all.both_missed);
        sample("veer_short", all.veer_short);
        sample("pg_short", all.pg_short);
        sample("hard", all.hard);
    }
    out.family("veer_compare_excluded_ratio", "gauge", "Comparisons that say nothing, of all");
    for (const CompareFacts& all : snapshot.comparisons) {
        const double compared = static_cast<double>(all.compared);
        out.sample(
            {{"route", all.route}}, compared > 0 ? static_cast<double>(all.excluded) / compared : 0
        );
    }
    out.family("veer_shadow_shed_total", "counter", "Comparisons that were dropped, not queued");
    for (const CompareFacts& all : snapshot.comparisons) {
        out.sample({{"route", all.route}}, static_cast<double>(all.shed));
    }
}

/// A summary: percentiles since the start, of all shapes. They do not add up over routes.
void add_durations(const Snapshot& snapshot, Exposition& out) {
    out.family(
        "veer_query_duration_seconds", "summary", "What clients waited, of compared searches"
    );
    for (const LatencyFacts& facts : snapshot.latencies) {
        if (facts.kind != "served" || !facts.fingerprint.empty()) {
            continue;
        }
        const auto sample = [&](std::string_view quantile, double ms) {
            out.sample(
                {{"route", facts.route}, {"engine", facts.engine}, {"quantile", quantile}},
                ms / 1000
            );
        };
        sample("0.5", facts.p50_ms);
        sample("0.9", facts.p90_ms);
        sample("0.95", facts.p95_ms);
        sample("0.99", facts.p99_ms);
    }
}

void add_indexes(const Snapshot& snapshot, Exposition& out) {
    const auto add = [&](std::string_view name, std::string_view help, auto value) {
        out.family(name, "gauge", help);
        for (const RouteFacts& route : snapshot.routes) {
            out.sample({{"route", route.name}}, value(route));
        }
    };
    add("veer_index_vectors", "Rows that a search can find", [](const RouteFacts& route) {
        return static_cast<double>(route.rows);
    });
    add("veer_index_bytes", "Estimated memory", [](const RouteFacts& route) {
        return static_cast<double>(route.memory_bytes);
    });
    add("veer_index_file_bytes", "Vectors in a file, beside that", [](const RouteFacts& route) {
        return static_cast<double>(route.file_bytes);
    });
    add("veer_index_cached_bytes",
        "Of these, in the page cache, which the kernel takes back where memory is short",
        [](const RouteFacts& route) { return static_cast<double>(route.cached_bytes); });
    add("veer_index_deleted_ratio", "Share of slots of deleted rows", [](const RouteFacts& route) {
        const double slots = static_cast<double>(route.rows + route.dead_slots);
        return slots > 0 ? static_cast<double>(route.dead_slots) / slots : 0;
    });
    add("veer_index_build_ratio", "Progress of the copy", [](const RouteFacts& route) {
        return route.progress_percent / 100;
    });
}

void add_golden(const Snapshot& snapshot, Exposition& out) {
    out.family("veer_golden_queries", "gauge", "Searches kept with their exact answers");
    for (const GoldenFacts& facts : snapshot.golden) {
        out.sample({{"route", facts.route}, {"state", "fresh"}}, static_cast<double>(facts.fresh));
        out.sample(
            {{"route", facts.route}, {"state", "stale"}},
            static_cast<double>(facts.searches - facts.fresh)
        );
    }
    out.family("veer_golden_refills_total", "counter", "Exact answers found for them");
    for (const GoldenFacts& facts : snapshot.golden) {
        out.sample({{"route", facts.route}}, static_cast<double>(facts.judged));
    }
    out.family("veer_golden_recall_ratio", "gauge", "Recall of the index on them");
    for (const GoldenFacts& facts : snapshot.golden) {
        if (facts.recall) {
            out.sample({{"route", facts.route}}, *facts.recall);
        }
    }
}

void add_replication(const Snapshot& snapshot, Exposition& out) {
    const ReplicationFacts& facts = snapshot.replication;
    out.family("veer_replication_state", "gauge", "What the copy is doing");
    out.sample({{"state", facts.phase}}, 1);
    out.family(
        "veer_replication_lag_seconds", "gauge", "For how long the copy has lacked something"
    );
    for (const RouteFacts& route : snapshot.routes) {
        if (route.lag_ms) {
            out.sample({{"route", route.name}}, static_cast<double>(*route.lag_ms) / 1000);
        }
    }
    if (facts.lag_bytes) {
        out.family("veer_replication_lag_bytes", "gauge", "WAL that is not applied yet");
        out.sample({{"slot", facts.slot}}, static_cast<double>(*facts.lag_bytes));
    }
    if (facts.retained_bytes) {
        out.family("veer_replication_slot_retained_bytes", "gauge", "WAL that the slot holds");
        out.sample({{"slot", facts.slot}}, static_cast<double>(*facts.retained_bytes));
    }
}

}  // namespace

std::string to_prometheus(const Snapshot& snapshot) {
    Exposition out;
    add_process(snapshot, out);
    add_connections(snapshot, out);
    add_queries(snapshot, out);
    add_traffic(snapshot, out);
    add_gates(snapshot, out);
    add_comparisons(snapshot, out);
    add_differences(snapshot, out);
    add_durations(snapshot, out);
    add_indexes(snapshot, out);
    add_golden(snapshot, out);
    add_replication(snapshot, out);
    return out.take();
}

}  // namespace veer::proxy::admin
