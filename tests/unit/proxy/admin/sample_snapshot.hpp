#pragma once

#include "proxy/admin/snapshot.hpp"

namespace veer::proxy::admin {

/// What the cutover of `documents` rests on.
inline void add_cutover(Snapshot& snapshot) {
    const std::string documents = snapshot.routes[0].name;
    snapshot.gates = {
        {.route = documents,
         .gate = "recall",
         .value = 0.994,
         .bound = 0.986,
         .threshold = 0.98,
         .samples = 1000,
         .evidence = 1e9,
         .verdict = "pass",
         .more_needed = 0},
        {.route = documents, .gate = "slow_share", .verdict = "inconclusive"}};
    snapshot.guards = {
        {.route = documents,
         .guard = "lag",
         .kind = "gauge",
         .value = 0.2,
         .trip = 1,
         .clear = 0.25,
         .state = "tripped",
         .action = "divert",
         .trips = 2,
         .since = 7,
         .trips_of_a_day = 1}};
    snapshot.rules = {
        {.rule = 10,
         .match = "role=billing",
         .effect = "pin=postgres",
         .hits = 412,
         .last_hit = 9}};
    snapshot.audit = {
        {.seq = 2,
         .at = 2'000'000,
         .actor = "alice",
         .via = "console",
         .action = "promote",
         .route = documents,
         .version = 42,
         .from = "canary 5",
         .to = "canary 25",
         .verdict = "pass",
         .previous = "b81e",
         .hash = "77aa"},
        {.seq = 1, .at = 1'000'000, .actor = "alice", .via = "cli", .action = "panic"}};
    snapshot.steps = {
        {.route = documents, .percent = 50, .hold_seconds = 600, .compared = 310, .earliest = 5},
        {.route = documents, .percent = 100, .hold_seconds = 600}};
}

/// What its comparisons came to.
inline void add_comparisons(Snapshot& snapshot) {
    const std::string documents = snapshot.routes[0].name;
    snapshot.queries = {
        {.fingerprint = "9f31c2aa9f31c2aa",
         .route = documents,
         .sql = "SELECT id FROM documents ORDER BY embedding <=> $1 LIMIT $2",
         .eligible = true,
         .veer = 25,
         .postgres = 5,
         .filtered = true,
         .k_median = 10,
         .recall = 0.99},
        {.fingerprint = "7c0d9e127c0d9e12", .sql = "SELECT", .reason = "function", .postgres = 10}};
    snapshot.comparisons = {
        {.route = documents,
         .sampled = 30,
         .compared = 20,
         .judged = 10,
         .excluded = 3,
         .excluded_classes = "in_flight 1, uncovered 2",
         .equal = 15,
         .hard = 1,
         .hard_classes = "invisible_row 1",
         .overlap = 0.9}};
    snapshot.recalls = {
        {.route = documents,
         .engine = "veer",
         .judge = "exact",
         .samples = 10,
         .mean = 0.99,
         .lower_99 =
             [] {
                 return 0.5;
             }},
        {.route = documents, .engine = "postgres", .judge = "exact", .samples = 10, .mean = 0.93},
        {.route = documents, .engine = "veer", .judge = "best of both", .samples = 7, .mean = 1}};
    snapshot.latencies = {
        {.route = documents, .engine = "veer", .kind = "paired", .count = 20, .p95_ms = 1.5}};
    snapshot.mismatches = {
        {.id = 7,
         .at = 3,
         .route = documents,
         .difference = "invisible_row",
         .severity = "hard",
         .noise = "pg_agrees_with_itself"}};
}

/// Three routes: `documents` at 25 %, `images` at 0, `notes` at 100 but in panic's shadow.
inline Snapshot sample_snapshot() {
    Snapshot snapshot;
    snapshot.process.version = "1.2.3";
    snapshot.process.started_at = 1'000'000;
    snapshot.process.now = 61'000'000;
    const auto route = [](const char* name, double percent, std::uint64_t veer) {
        RouteFacts facts;
        facts.name = std::string("public.") + name + ".embedding <=>";
        facts.database = "app";
        facts.relation = std::string("public.") + name;
        facts.column = "embedding";
        facts.operator_name = "<=>";
        facts.state = "live";
        facts.desired_percent = percent;
        facts.effective_percent = percent;
        facts.source = "route";
        facts.progress_percent = 100;
        facts.rows = 10;
        facts.step = 25;
        facts.veer = veer;
        facts.postgres = 100 - veer;
        facts.reasons = {
            {"local", "veer", veer}, {"percent", "postgres", 100 - veer, 5, "PROMOTE it."}};
        return facts;
    };
    snapshot.routes = {route("documents", 25, 25), route("images", 0, 0), route("notes", 100, 100)};
    snapshot.routes[2].effective_percent = 0;
    snapshot.routes[2].why = "the copy is not complete";
    snapshot.replication.phase = "streaming";
    snapshot.replication.applied_lsn = "0/16B3748";
    ClientFacts client;
    client.number = 7;
    client.user = "alice";
    client.database = "app";
    client.state = "idle";
    client.address = "10.0.0.1";
    client.port = 5555;
    client.server_address = "db1";
    client.server_port = 5432;
    snapshot.clients = {client};
    snapshot.golden = {
        {.route = snapshot.routes[0].name,
         .searches = 200,
         .fresh = 190,
         .judged = 450,
         .measured = 190,
         .recall = 0.99,
         .recall_at_most = 0.995},
        {.route = snapshot.routes[1].name}};
    add_cutover(snapshot);
    add_comparisons(snapshot);
    snapshot.config = {
        {.key = "limits.k_max",
         .value = "1000",
         .file_value = "2000",
         .default_value = "1000",
         .restart = true}};
    return snapshot;
}

}  // namespace veer::proxy::admin
