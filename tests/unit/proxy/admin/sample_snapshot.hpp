#pragma once

#include "proxy/admin/snapshot.hpp"

namespace veer::proxy::admin {

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
        facts.veer = veer;
        facts.postgres = 100 - veer;
        facts.reasons = {{"local", "veer", veer}, {"percent", "postgres", 100 - veer}};
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
    snapshot.config = {
        {.key = "limits.k_max",
         .value = "1000",
         .file_value = "2000",
         .default_value = "1000",
         .restart = true}};
    return snapshot;
}

}  // namespace veer::proxy::admin
