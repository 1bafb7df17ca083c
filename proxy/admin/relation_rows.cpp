#include "proxy/admin/relation_rows.hpp"

#include "proxy/admin/relation.hpp"
#include "proxy/admin/row_values.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace veer::proxy::admin::rows {

namespace {

constexpr std::int64_t microseconds_a_second = 1'000'000;

void append_reasons(
    const std::string& route,
    const std::vector<ReasonCount>& reasons,
    double total,
    std::vector<Row>& rows
) {
    for (const ReasonCount& each : reasons) {
        const double share = total > 0 ? static_cast<double>(each.calls) / total : 0;
        rows.push_back(
            {known(route),
             each.engine,
             each.reason,
             count(each.calls),
             share,
             each.last ? Value(Timestamp{*each.last}) : Value{},
             !each.hint.empty(),
             known(each.hint)}
        );
    }
}

/// Of all the route's compared searches; NULL where there are none.
Value judged_recall(const Snapshot& snapshot, const std::string& route) {
    for (const RecallFacts& facts : snapshot.recalls) {
        if (facts.route == route && facts.engine == "postgres" && facts.fingerprint.empty()) {
            return facts.mean;
        }
    }
    return {};
}

/// Of the same searches on both engines.
Value paired_p95(const Snapshot& snapshot, const std::string& route, std::string_view engine) {
    for (const LatencyFacts& facts : snapshot.latencies) {
        if (facts.route == route && facts.engine == engine && facts.kind == "paired" &&
            facts.fingerprint.empty()) {
            return facts.p95_ms;
        }
    }
    return {};
}

/// How long the copy of a table still takes in the state that it is in.
Value seconds_left(const Snapshot& snapshot, const std::string& table) {
    for (const CopyFacts& copy : snapshot.copies) {
        if (copy.table == table) {
            return known(copy.seconds_left);
        }
    }
    return {};
}

double sum_of(const std::vector<ReasonCount>& reasons) {
    std::uint64_t sum = 0;
    for (const ReasonCount& each : reasons) {
        sum += each.calls;
    }
    return static_cast<double>(sum);
}

}  // namespace

std::vector<Row> routes(const Snapshot& snapshot) {
    std::vector<Row> rows;
    const auto moment = [](const std::optional<std::int64_t>& value) {
        return value ? Value(Timestamp{*value}) : Value{};
    };
    for (const RouteFacts& route : snapshot.routes) {
        rows.push_back(
            {route.name,
             route.database,
             route.relation,
             route.column,
             route.operator_name,
             route.state,
             route.desired_percent,
             route.effective_percent,
             known(route.why),
             route.source,
             route.version == 0 ? Value{} : Value(route.version),
             count(route.rows),
             route.progress_percent,
             count(route.veer),
             count(route.postgres),
             known(route.traffic),
             route.allowed_percent,
             route.held,
             moment(route.since),
             known(route.next_step),
             moment(route.next_step_at),
             moment(route.trial_until),
             known(route.verdict),
             known(route.obstacle),
             known(route.recall),
             known(route.recall_bound),
             known(route.lag_ms),
             known(route.step),
             judged_recall(snapshot, route.name),
             paired_p95(snapshot, route.name, "veer"),
             paired_p95(snapshot, route.name, "postgres")}
        );
    }
    return rows;
}

std::vector<Row> reasons(const Snapshot& snapshot) {
    double total = sum_of(snapshot.reasons);
    for (const RouteFacts& route : snapshot.routes) {
        total += sum_of(route.reasons);
    }
    std::vector<Row> rows;
    for (const RouteFacts& route : snapshot.routes) {
        append_reasons(route.name, route.reasons, total, rows);
    }
    append_reasons("", snapshot.reasons, total, rows);
    return rows;
}

std::vector<Row> indexes(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const RouteFacts& route : snapshot.routes) {
        const auto slots = static_cast<double>(route.rows + route.dead_slots);
        rows.push_back(
            {route.name,
             route.upstream_index,
             count(route.rows),
             std::int64_t{route.dimensions},
             route.metric,
             std::int64_t{route.m},
             std::int64_t{route.ef_construction},
             count(route.dead_slots),
             count(route.rejected_rows),
             count(route.missing_rows),
             count(route.memory_bytes),
             count(route.file_bytes),
             count(route.cached_bytes),
             known(route.quantization),
             known(route.ef_search),
             count(route.memory_bytes + route.file_bytes),
             slots > 0 ? static_cast<double>(route.dead_slots) / slots : 0.0,
             std::string(route.rebuilding ? "rebuilding" : route.state),
             route.progress_percent,
             seconds_left(snapshot, route.relation),
             known(snapshot.replication.applied_lsn),
             count(route.rebuilds),
             known(route.upkeep_trouble)}
        );
    }
    return rows;
}

std::vector<Row> replication(const Snapshot& snapshot) {
    const ReplicationFacts& facts = snapshot.replication;
    const std::string& reason = facts.reason.empty() ? facts.trouble : facts.reason;
    const auto lagging =
        std::find_if(snapshot.routes.begin(), snapshot.routes.end(), [](const RouteFacts& route) {
            return route.lag_ms.has_value();
        });
    return {
        {known(facts.slot),
         facts.phase,
         known(facts.applied_lsn),
         known(facts.server_lsn),
         known(facts.lag_bytes),
         known(facts.retained_bytes),
         count(facts.rows_done),
         facts.rows_estimated,
         known(reason),
         known(facts.slot),  // of the same name
         lagging == snapshot.routes.end() ? Value{} : known(lagging->lag_ms)}};
}

std::vector<Row> clients(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const ClientFacts& client : snapshot.clients) {
        const bool searched = !client.last_route.empty() || !client.last_reason.empty();
        rows.push_back(
            {count(client.number),
             client.user,
             client.database,
             client.state,
             known(client.address),
             std::int64_t{client.port},
             client.application_name,
             client.tls,
             Timestamp{client.connected_at},
             count(client.unsent_bytes),
             searched ? Value(client.last_engine) : Value{},
             searched ? Value(client.last_reason) : Value{},
             known(client.last_route),
             searched ? Value(client.last_ms) : Value{},
             known(client.route_override),
             known(client.key)}
        );
    }
    return rows;
}

std::vector<Row> servers(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const ClientFacts& client : snapshot.clients) {
        if (!client.server_address.empty()) {
            rows.push_back(
                {client.user,
                 client.database,
                 client.server_address,
                 std::int64_t{client.server_port},
                 client.server_pid,
                 client.server_tls,
                 count(client.number)}
            );
        }
    }
    return rows;
}

std::vector<Row> copies(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const CopyFacts& copy : snapshot.copies) {
        rows.push_back(
            {copy.table,
             copy.state,
             count(copy.rows),
             copy.rows_expected,
             count(copy.bytes),
             copy.rows_per_second > 0 ? Value(copy.rows_per_second) : Value{},
             known(copy.seconds_left),
             known(copy.reason)}
        );
    }
    return rows;
}

std::vector<Row> verification(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const VerifiedFacts& table : snapshot.verified) {
        rows.push_back(
            {table.table,
             count(table.passes),
             table.passes == 0 ? Value{} : Value(Timestamp{table.passed_at}),
             count(table.rows),
             count(table.differences),
             count(table.repaired),
             table.trouble}
        );
    }
    return rows;
}

std::vector<Row> golden(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const GoldenFacts& facts : snapshot.golden) {
        rows.push_back(
            {facts.route,
             count(facts.searches),
             count(facts.fresh),
             count(facts.judged),
             count(facts.measured),
             known(facts.recall),
             known(facts.recall_at_most),
             known(facts.recall_at_ef)}
        );
    }
    return rows;
}

std::vector<Row> pools(const Snapshot& snapshot) {
    struct Pool {
        std::int64_t active = 0;
        std::int64_t idle = 0;
        std::int64_t servers = 0;
    };

    std::map<std::pair<std::string, std::string>, Pool> pools;
    for (const ClientFacts& client : snapshot.clients) {
        Pool& pool = pools[{client.database, client.user}];
        ++(client.state == "idle" ? pool.idle : pool.active);
        pool.servers += client.server_address.empty() ? 0 : 1;
    }
    std::vector<Row> rows;
    rows.reserve(pools.size());
    for (const auto& [name, pool] : pools) {
        rows.push_back(
            {name.first, name.second, pool.active, pool.idle, pool.servers, std::string("session")}
        );
    }
    return rows;
}

std::vector<Row> hosts(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const HostFacts& host : snapshot.hosts) {
        rows.push_back({host.host, std::int64_t{host.port}, host.role});
    }
    return rows;
}

std::vector<Row> lists(const Snapshot& snapshot) {
    std::int64_t servers = 0;
    for (const ClientFacts& client : snapshot.clients) {
        servers += client.server_address.empty() ? 0 : 1;
    }
    const auto row = [](const char* name, std::uint64_t items) {
        return Row{std::string(name), count(items)};
    };
    return {
        row("routes", snapshot.routes.size()),
        row("clients", snapshot.process.clients),
        row("clients_max", snapshot.process.clients_max),
        row("sockets", snapshot.process.sockets),
        row("cancels", snapshot.process.cancels),
        {std::string("servers"), servers},
        row("hosts", snapshot.hosts.size())};
}

std::vector<Row> stats(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const RouteFacts& route : snapshot.routes) {
        rows.push_back(
            {route.name,
             count(route.veer + route.postgres),
             count(route.veer),
             count(route.postgres)}
        );
    }
    return rows;
}

std::vector<Row> memory(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const RouteFacts& route : snapshot.routes) {
        rows.push_back({"index " + route.name + " (estimate)", count(route.memory_bytes)});
        if (route.file_bytes > 0) {
            rows.push_back({"page cache of the vectors of " + route.name, count(route.cached_bytes)}
            );
        }
    }
    rows.push_back({std::string("unsent to slow readers"), count(snapshot.process.unsent_bytes)});
    return rows;
}

std::vector<Row> config(const Snapshot& snapshot) {
    std::vector<Row> rows;
    for (const ConfigFacts& key : snapshot.config) {
        rows.push_back(
            {key.key,
             key.value,
             key.file_value,
             key.default_value,
             std::string(key.restart ? "restart" : "now"),
             key.restart && key.value != key.file_value,
             key.source}
        );
    }
    return rows;
}

std::vector<Row> version(const Snapshot& snapshot) {
    const ProcessFacts& process = snapshot.process;
    return {
        {process.version,
         Timestamp{process.started_at},
         (process.now - process.started_at) / microseconds_a_second,
         process.panic}};
}

std::vector<Row> tables(const Snapshot& /*snapshot*/) {
    std::vector<Row> rows;
    for (const Relation& relation : relations()) {
        rows.push_back({std::string(relation.name), std::string(relation.about)});
    }
    return rows;
}

std::vector<Row> help(const Snapshot& /*snapshot*/) {
    static constexpr std::pair<const char*, const char*> lines[] = {
        {"SHOW TABLES", "lists what can be shown"},
        {"SHOW ROUTES", "any of these, whole"},
        {"SELECT route, veer FROM veer.routes WHERE state = 'live' ORDER BY veer DESC LIMIT 5",
         "columns, =, <>, <, >, LIKE, IN, IS NULL, AND; count(*)"},
        {"PANIC [REASON '...']", "all searches go to Postgres, at once"},
        {"RESUME", "takes a PANIC back (UNPANIC as well)"},
        {"ALTER ROUTE 'name' SET TRAFFIC 25 [IF VERSION n] [FOR '10m'] [REASON '...']",
         "moves a share of its searches (SET ROUTE 'name' PERCENT 25 as well)"},
        {"OBSERVE | SHADOW | PROMOTE | HOLD | RESUME | CONFIRM | UNDO | ACK | COMPLETE | REOPEN "
         "'name'",
         "moves a route; PROMOTE takes the next step, or TO 40, or FOR '10m' only"},
        {"ROLLBACK 'name' | ALL, OFF 'name'", "Postgres answers; never refused"},
        {"... DRY RUN", "behind any of these: says what would be"},
        {"REPLAY MISMATCH 7 [EF 200]",
         "compares a kept search once more, as it is or with more effort"},
        {"VERIFY ['name'] [RATE 10000]",
         "compares tables with their copies, so many rows a second; repairs what differs"},
        {"DRILL ['name'] [FAULT 'neighbours' | 'wrong' | 'slow' | 'lag'] [REASON '...']",
         "rehearses a failure: how soon its guards send a route back to Postgres"},
        {"EXPLAIN ROUTE [ROLE '...'] [APPLICATION '...'] [CLIENT '...'] SELECT ...",
         "who would answer this search, and who decides that; nothing runs"},
        {"SHOW DOCTOR", "asks the server what it lacks for veer; changes nothing"},
        {"MISMATCH 7", "a kept search's three answers as they were, side by side"},
        {"REBUILD INDEX 'name'", "builds its graph anew in the background; SHOW INDEXES"},
        {"CALIBRATE 'name'",
         "measures the error of floats on its rows, and whether Postgres agrees with itself"},
        {"COMPARE SELECT ...", "this search on all parties now, side by side"},
        {"TUNE 'name' [RECALL 0.99]",
         "recall and time of its golden searches at each ef, and the least ef that holds the "
         "recall"},
        {"SET compare.load_max = 0.05, RESET compare.load_max",
         "a key of veer.toml holds another value, until it is reset or veer ends"},
        {"IGNORE CLASS veer_missed ON 'fingerprint' UNTIL '2026-05-04' REASON '...', UNIGNORE "
         "CLASS "
         "... ON ...",
         "differences of a class are not counted for a while; SHOW IGNORED"},
        {"RELOAD [DRY RUN]", "reads veer.toml again, all or nothing; shows what changed, or would"},
    };
    std::vector<Row> rows;
    for (const auto& [command, does] : lines) {
        rows.push_back({std::string(command), std::string(does)});
    }
    return rows;
}

}  // namespace veer::proxy::admin::rows
